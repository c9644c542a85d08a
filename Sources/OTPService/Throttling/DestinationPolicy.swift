package import Identity

/// Which numbers a code may be sent to at all, before anything is asked of the database.
package struct DestinationPolicy: Sendable, Hashable {
    /// CLDR regions such as `IN`; nil allows all.
    package let countries: Set<String>?

    /// Allows mobile lines of these regions.
    package init(countries: Set<String>?) {
        self.countries = countries
    }

    /// Whether the country is allowed and the line one that receives text messages.
    ///
    /// Premium-rate, toll-free, shared-cost and other special lines are where pumping earns; a number in no range that the
    /// metadata knows passes if a mobile number could look like it, because ranges are opened faster than metadata. A number of
    /// no country (satellites and global networks, ITU-T E.164.1) is in none that could be allowed, `*` included.
    package func allows(_ phone: PhoneNumber) -> Bool {
        guard phone.mayBeMobile, let region = phone.region, region != "001" else { return false }
        return countries?.contains(region) ?? true
    }

    /// Whether codes may be sent to a country, or to the beginning of numbers, as far as the list of countries says; a beginning
    /// that several countries have may.
    package func permits(_ destination: DestinationName) -> Bool {
        guard let countries, let country = destination.country else { return true }
        return countries.contains(country)
    }
}
