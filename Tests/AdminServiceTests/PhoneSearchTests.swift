import Testing

@testable import AdminService

@Suite("Searches for a phone")
struct PhoneSearchTests {
    @Test(
        "a number in any spelling is the one that was meant, a part of one its beginning; other texts stay",
        arguments: [
            ("9811200001", "+919811200001"), ("09811200001", "+919811200001"), ("098112 00001", "+919811200001"),
            ("0091 98112 00001", "+919811200001"), ("919811200001", "+919811200001"),
            ("tel:+91-98112-00001", "+919811200001"), ("+91 98112 00001", "+919811200001"),
            ("9123456789", "+919123456789"), ("(981) 120-0001", "+919811200001"),
            ("98112", "+9198112"), ("0981", "+91981"), ("9198112", "+9198112"), ("00 44 79", "+4479"),
            ("tel:+9198", "+9198"), ("+9198", "+9198"),
            ("+9198112-00001", "+919811200001"), ("+44 7911 12", "+44 7911 12"),
            ("Asha", "Asha"), ("R2", "R2"), ("", ""), ("0", "0"), ("00", "00"), ("-", "-"), ("tel:", "tel:"),
            ("01932c00-7b5c", "01932c00-7b5c"), ("01932100-", "01932100-"), ("01932100-7555", "01932100-7555"),
        ])
    func spellings(typed: String, meant: String) {
        #expect(PhoneSearch.text(typed, defaultRegion: "IN") == meant)
    }

    @Test(
        "without a default region digits are what they are",
        arguments: [
            ("9811200001", "9811200001"), ("98112", "98112"), ("00919811200001", "00919811200001"),
            ("tel:+919811200001", "+919811200001"), ("+91 98112 00001", "+919811200001"),
        ])
    func noRegion(typed: String, meant: String) {
        #expect(PhoneSearch.text(typed, defaultRegion: nil) == meant)
    }
}
