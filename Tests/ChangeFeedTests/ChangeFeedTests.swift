import ChangeFeed
import Testing

@Suite("Change feed") struct ChangeFeedTests {}
