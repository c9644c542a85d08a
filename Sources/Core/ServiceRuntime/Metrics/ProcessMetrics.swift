#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the system knows about the process, under the names that Prometheus clients use for it; read when asked.
package struct ProcessMetrics: Sendable {
    private let startTime: Double

    package init() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        startTime = Double(time.tv_sec)
    }

    /// The metrics as text; without the memory and the files where the system has no `/proc`.
    package func text() -> String {
        var text =
            "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds \(MetricText.number(startTime))\n"
        var usage = rusage()
        #if canImport(Glibc)
            let own = __rusage_who_t(RUSAGE_SELF.rawValue)
        #else
            let own = RUSAGE_SELF
        #endif
        if getrusage(own, &usage) == 0 {
            let seconds =
                Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
            text +=
                "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total \(MetricText.number(seconds))\n"
        }
        if let pages = Self.residentPages() {
            text += "# TYPE process_resident_memory_bytes gauge\n"
            text += "process_resident_memory_bytes \(pages * Int(sysconf(Int32(_SC_PAGESIZE))))\n"
        }
        return text
    }

    /// The second number of `/proc/self/statm` (proc(5)).
    private static func residentPages() -> Int? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = fread(&buffer, 1, buffer.count, file)
        let parts = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ")
        return parts.count > 1 ? Int(parts[1]) : nil
    }
}
