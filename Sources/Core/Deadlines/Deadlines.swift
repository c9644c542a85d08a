/// The instant at which the request that is being served must have its answer.
///
/// HTTPServer sets it around each handler; Postgres and HTTPClient never wait past it. It is a task-local value, so that
/// the modules that wait need not know the module that serves.
package enum RequestDeadline {
    @TaskLocal package static var current: ContinuousClock.Instant?
}
