package import HTTPServer
import Hummingbird
import Logging

/// Where MSG91 reports: `POST /v1/otp/delivery-reports/{webhook_secret}`.
///
/// With the right secret the answer is 200 to any body of up to 256 KiB, or MSG91 would pause the webhook, and it does not
/// wait for the database; a larger one is 413 before the secret is looked at.
/// Anything else is told that there is nothing here. The path is in no log of ours: log lines have the route's template.
package struct DeliveryReportRoutes: Sendable {
    /// A v2 body has a report for each number of a campaign.
    package static let largestBody = 256 * 1024

    /// What the HTTP server has to know of it.
    package static let largerBodies = ["/v1/otp/delivery-reports/": largestBody]

    let secret: WebhookSecret?
    let inbox: ReportInbox
    let logger: Logger

    /// Adds the route.
    package func add(to router: PostkeyRouter) {
        router.post("/v1/otp/delivery-reports/{webhook_secret}") { request, context in
            let presented = try context.parameter("webhook_secret")
            guard let secret, secret.matches(presented) else { throw Problem(.notFound) }
            let bytes = try await request.bytes(upTo: Self.largestBody)
            if let result = ReportReader.read(bytes) {
                ReportInbox.count("unusable", result.unusable)
                inbox.add(result.reports)
            } else {
                // Not kept: a webhook may be made to hold the text of the message, and so the code.
                ReportInbox.count("unreadable", 1)
                logger.debug("a delivery report in no known shape", metadata: ["bytes": "\(bytes.count)"])
            }
            return Response.empty(.ok)
        }
    }
}
