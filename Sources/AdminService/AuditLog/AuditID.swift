import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Names a row of the audit log.
struct AuditID: Identifier {
    let uuid: UUID
    init(uuid: UUID) { self.uuid = uuid }
}
