import ArgumentParser

/// The loads that `scripts/benchmark.sh` makes and that wrk cannot.
@main
struct PostkeyBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postkey-benchmark", subcommands: [ModuleReads.self, SignInLoad.self])
}
