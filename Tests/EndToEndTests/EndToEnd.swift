import Testing

/// The three services as processes. One test at a time: each starts processes and measures none of the others.
@Suite(.serialized) enum EndToEnd {}
