/// The figures as tiles and charts.
extension DashboardView {
    static func tiles(_ users: UserStatistics) -> [Tile] {
        let new = users.new.map { Double($0.count) }
        let signIns = users.signIns.map { Double($0.count) }
        return [
            Tile(
                label: "Users", value: Wording.number(users.total),
                detail: "\(Wording.number(users.active)) active, \(Wording.number(users.suspended)) suspended",
                spark: nil),
            Tile(
                label: "New users", value: Wording.number(sum(users.new)), detail: today(users.new),
                spark: Sparkline(new)),
            Tile(
                label: "Sign-ins", value: Wording.number(sum(users.signIns)), detail: today(users.signIns),
                spark: Sparkline(signIns)),
        ] + (active(users).map { [$0] } ?? [])
    }

    private static func active(_ users: UserStatistics) -> Tile? {
        guard let month = users.activeThisMonth else { return nil }
        let shorter = [
            users.activeThisWeek.map { "\(Wording.number($0)) since Monday" },
            users.activeToday.map { "\(Wording.number($0)) today" },
        ]
        return Tile(
            // Named by its day: on the first of a month it would look like a fall.
            label: "Active since \(Wording.shortDay(users.asOf.text.prefix(7) + "-01"))", value: Wording.number(month),
            detail: shorter.compactMap(\.self).joined(separator: ", "),
            spark: users.activeByDay.flatMap { Sparkline($0.map { Double($0.count) }) })
    }

    static func tiles(_ messages: MessageStatistics) -> [Tile] {
        let sent = messages.total(\.sent)
        let failed = messages.total(\.failed)
        return [
            Tile(
                label: "Codes sent", value: Wording.number(sent),
                detail: "\(Wording.percent(messages.total(\.delivered), of: sent)) delivered",
                spark: Sparkline(messages.days.map { Double($0.sent) })),
            Tile(
                label: "Conversion", value: messages.conversion.map(Wording.percent) ?? "–",
                detail: "\(Wording.number(messages.total(\.verified))) codes verified",
                spark: Sparkline(messages.days.map { Double($0.verified) })),
            Tile(
                label: "Failed", value: Wording.number(failed),
                detail: "\(Wording.percent(failed, of: sent)) of the codes",
                spark: Sparkline(messages.days.map { Double($0.failed) }),
                tone: failed * 10 > sent && sent > 0 ? "bad" : ""),
        ]
    }

    static func charts(_ users: UserStatistics) -> [ChartView] {
        [
            ChartView(
                DayChart(
                    id: "sign-ins", title: "Sign-ins and new users",
                    summary:
                        "\(Wording.number(sum(users.signIns))) sign-ins and \(Wording.number(sum(users.new))) new users.",
                    days: users.signIns.map(\.day),
                    series: [
                        DayChart.Series(name: "Sign-ins", style: "a", values: users.signIns.map { Double($0.count) }),
                        DayChart.Series(name: "New users", style: "b", values: users.new.map { Double($0.count) }),
                    ]
                        + (users.activeByDay.map { days in
                            [DayChart.Series(name: "Active users", style: "c", values: days.map { Double($0.count) })]
                        } ?? [])))
        ]
    }

    static func charts(_ messages: MessageStatistics) -> [ChartView] {
        let days = messages.days.map(\.day)
        func series(_ name: String, _ style: String, _ figure: (MessageStatistics.Day) -> Int) -> DayChart.Series {
            DayChart.Series(name: name, style: style, values: messages.days.map { Double(figure($0)) })
        }
        return [
            ChartView(
                DayChart(
                    id: "codes", title: "Codes",
                    summary: "\(Wording.number(messages.total(\.sent))) codes sent.", days: days,
                    series: [
                        series("Sent", "a", \.sent), series("Delivered", "c", \.delivered),
                        series("Verified", "b", \.verified),
                    ])),
            ChartView(
                DayChart(
                    id: "conversion", title: "Conversion",
                    summary: "Of all codes sent, \(messages.conversion.map(Wording.percent) ?? "none") were verified.",
                    days: days,
                    series: [
                        DayChart.Series(
                            name: "Verified of sent", style: "b",
                            values: messages.days.map { $0.sent > 0 ? Double($0.verified) / Double($0.sent) : nil })
                    ], unit: .percent)),
            ChartView(
                DayChart(
                    id: "failures", title: "Failures",
                    summary: "\(Wording.number(messages.total(\.failed))) codes failed.", days: days,
                    series: [series("Failed", "d", \.failed)], form: .bars)),
        ]
    }

    private static func sum(_ days: [DayCount]) -> Int {
        days.reduce(0) { sum, day in
            let (result, overflow) = sum.addingReportingOverflow(day.count)
            return overflow ? .max : result
        }
    }

    private static func today(_ days: [DayCount]) -> String {
        days.last.map { "\(Wording.number($0.count)) today" } ?? "none yet"
    }
}
