/// What all services share around their own work: settings, logs, metrics, lifecycle and commands.
///
/// A service conforms to ``ServiceDefinition`` and hands itself to ``ServiceCommand``; its executable is then three lines.
///
///     ServiceCommand ─▶ SettingsReader ─▶ Runtime ─▶ ServiceDefinition.compose ─▶ ServiceGroup
///     serve, migrate,    every problem     postgres,                                postgres, schema gate,
///     check, openapi     at once           settings                                 workers, HTTP server
///
/// What has no database, like the simulator of the gateway, uses the parts: ``SettingsReader``, ``Logs``,
/// ``MetricsRegistry`` and ``runServices(_:logger:)``.
package enum ServiceRuntime {
    /// The version that all services of this package report.
    package static let version = "0.1.0"
}
