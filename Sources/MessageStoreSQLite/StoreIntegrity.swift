import GRDB

/// What SQLite's check and the rules between tables have to say about a database.
struct StoreIntegrity {
    let database: Database

    private static let rules: [(problem: String, count: String)] = [
        (
            "messages that are not ended have lost their payload",
            """
            SELECT count(*) FROM message WHERE ended_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM payload WHERE payload.number = message.number)
            """
        ),
        (
            "payloads differ from the size their message states",
            """
            SELECT count(*) FROM message JOIN payload USING (number)
            WHERE ended_at IS NULL AND length(payload.bytes) <> message.size
            """
        ),
        (
            "payloads belong to no message, or to one that is ended",
            """
            SELECT count(*) FROM payload
            WHERE NOT EXISTS (SELECT 1 FROM message WHERE number = payload.number AND ended_at IS NULL)
            """
        ),
        (
            "messages name a recipient that has no address",
            "SELECT count(*) FROM message WHERE NOT EXISTS (SELECT 1 FROM address WHERE number = recipient)"
        ),
        (
            "bindings name an address that is not there",
            "SELECT count(*) FROM binding WHERE NOT EXISTS (SELECT 1 FROM address WHERE number = binding.address)"
        ),
        (
            "subscriptions and publications name a resource that has no address",
            """
            SELECT count(*) FROM (SELECT resource FROM subscription UNION ALL SELECT resource FROM publication)
            WHERE NOT EXISTS (SELECT 1 FROM address WHERE number = resource)
            """
        ),
        (
            "subscriptions have lost their dialog, or dialogs their subscription",
            """
            SELECT (SELECT count(*) FROM subscription WHERE number NOT IN (SELECT number FROM subscription_dialog))
                + (SELECT count(*) FROM subscription_dialog WHERE number NOT IN (SELECT number FROM subscription))
            """
        ),
        (
            "publications have lost their body, or bodies their publication",
            """
            SELECT (SELECT count(*) FROM publication WHERE number NOT IN (SELECT number FROM publication_body))
                + (SELECT count(*) FROM publication_body WHERE number NOT IN (SELECT number FROM publication))
            """
        ),
    ]

    /// Empty when all is well.
    func problems() throws -> [String] {
        var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(100)").filter { $0 != "ok" }
        guard problems.isEmpty else { return problems }
        for rule in StoreIntegrity.rules {
            let count = try Int.fetchOne(database, sql: rule.count) ?? 0
            if count > 0 { problems.append("\(count) \(rule.problem)") }
        }
        return problems
    }
}
