import Postgres
import Testing

/// The pipeline's bookkeeping, without a server.
@Suite struct PipelineLedgerTests {
    typealias Ledger = PipelineLedger<String, String, String>

    private func describe(_ action: Ledger.Action) -> String {
        switch action {
        case .none: "none"
        case .complete(let work, let rows): "complete \(work) \(rows)"
        case .fail(let work, let failure): "fail \(work) \(failure)"
        case .failAtCommit(let work, let failure): "failAtCommit \(work) \(failure)"
        case .retry(let work): "retry \(work)"
        case .notPrepared(let work): "notPrepared \(work)"
        case .confused: "confused"
        }
    }

    private func play(_ entries: [Ledger.Entry], _ events: [Ledger.Event]) -> [String] {
        var ledger = Ledger()
        for entry in entries { ledger.sent(entry) }
        return events.map { describe(ledger.received($0)) }.filter { $0 != "none" }
    }

    @Test func answersComeInOrder() {
        let actions = play(
            [.prepare("a"), .execute("a"), .execute("b"), .sync],
            [
                .rows(""), .endOfStatement, .rows("1"), .endOfStatement, .rows("2"), .endOfStatement, .synced,
            ])
        #expect(actions == ["complete a 1", "complete b 2"])
    }

    @Test func anErrorAbortsOnlyTheRestOfItsSegment() {
        let actions = play(
            [.execute("a"), .execute("b"), .execute("c"), .sync, .execute("d"), .sync],
            [
                .rows("1"), .endOfStatement, .failed("boom"), .endOfStatement, .aborted, .endOfStatement, .synced,
                .rows("4"), .endOfStatement, .synced,
            ])
        #expect(actions == ["complete a 1", "fail b boom", "retry c", "complete d 4"])
    }

    @Test func aFailedPrepareFailsItsOwnStatementAndRetriesOthers() {
        let actions = play(
            [.prepare("a"), .execute("a"), .execute("b"), .sync],
            [.failed("syntax"), .endOfStatement, .aborted, .endOfStatement, .aborted, .endOfStatement, .synced])
        #expect(actions == ["notPrepared a", "fail a syntax", "retry b"])
    }

    @Test func anAbortedPrepareIsForgottenAndRetried() {
        let actions = play(
            [.execute("a"), .prepare("b"), .execute("b"), .sync],
            [.failed("boom"), .endOfStatement, .aborted, .endOfStatement, .aborted, .endOfStatement, .synced])
        #expect(actions == ["fail a boom", "notPrepared b", "retry b"])
    }

    @Test func aTransactionOfItsOwnIsDoneWhenItsSyncIsAnswered() {
        let sent: [Ledger.Entry] = [
            .prepare("a"), .execute("a", commitsAtSync: true), .sync, .execute("b", commitsAtSync: true), .sync,
        ]
        let executed: [Ledger.Event] = [.rows(""), .endOfStatement, .rows("1"), .endOfStatement]
        #expect(play(sent, executed) == [])
        #expect(play(sent, executed + [.synced]) == ["complete a 1"])
        let failed: [Ledger.Event] = [.failed("deferred"), .endOfStatement, .synced]
        #expect(play(sent, executed + failed) == ["failAtCommit a deferred"])
        #expect(
            play(sent, executed + failed + [.rows("2"), .endOfStatement, .synced]) == [
                "failAtCommit a deferred", "complete b 2",
            ])
        #expect(
            play(sent, [.rows(""), .endOfStatement, .failed("boom"), .endOfStatement, .synced]) == ["fail a boom"])
    }

    @Test func whatIsNotKnownToBeCommittedIsHandedBack() {
        var ledger = Ledger()
        for entry in [Ledger.Entry.execute("a", commitsAtSync: true), .sync, .execute("b", commitsAtSync: true), .sync]
        {
            ledger.sent(entry)
        }
        for event in [Ledger.Event.rows("1"), .endOfStatement] { _ = ledger.received(event) }
        var waiting: [String] = []
        ledger.forEachExecuting { waiting.append($0) }
        #expect(waiting == ["a", "b"] && ledger.executing == 2)
        #expect(ledger.abandon() == ["a", "b"])
        #expect(ledger.isEmpty && ledger.executing == 0)
    }

    @Test func anAnswerThatNobodyAwaitsIsConfusion() {
        #expect(play([], [.rows("1")]) == ["confused"])
        #expect(play([.sync], [.rows("1")]) == ["confused"])
        #expect(play([.sync], [.failed("1")]) == ["confused"])
        #expect(play([.execute("a")], [.synced]) == ["confused"])
        #expect(play([.execute("a")], [.endOfStatement]) == ["confused"])
        #expect(play([.execute("a")], [.rows("1"), .rows("2")]) == ["confused"])
    }

    @Test func whatWasNotAnsweredIsHandedBack() {
        var ledger = Ledger()
        for entry in [Ledger.Entry.prepare("a"), .execute("a"), .execute("b"), .sync] { ledger.sent(entry) }
        #expect(ledger.executing == 2)
        #expect(ledger.abandon() == ["a", "b"])
        #expect(ledger.isEmpty && ledger.executing == 0)
    }
}
