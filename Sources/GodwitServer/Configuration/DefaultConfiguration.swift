import SigComp

extension ServerConfiguration {
    /// What `godwit serve --print-default-config` prints: every key with its meaning and default value. It is itself a valid
    /// configuration.
    public static let defaultText = """
        # Configuration of godwit serve. Every key is here with its default; what is optional and has none is commented out.
        # Paths are relative to the directory of this file. A variable of the environment overrides a key: GODWIT_LOG_LEVEL
        # stands for log.level, GODWIT_DATA_DIRECTORY for data-directory. Durations: 500ms, 4s, 5m, 2h, 7d; sizes: 1300, 64KiB.

        # Domains served here: their users register with this server, and messages to them are delivered or stored by it.
        domains: [example.com]

        # Where to listen: transport (udp, tcp, tls), address, port. An item may say what peers are to be told instead of the
        # bound address, for servers behind NAT or with a name:  {at: "udp:0.0.0.0:5060", advertise: "sip.example.com:5060"}
        # With `sigcomp: false` it takes plain SIP only.
        listen: ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]

        # Directory of the database (godwit.sqlite), of the installation's secret, and by default of the admin socket. On a
        # local disk, not on a network file system.
        data-directory: data

        # UNIX-domain socket by which the command line talks to the running server.
        admin-socket: data/admin.sock

        # Value of the Server header; "" for none.
        server-name: Godwit

        # How long open transactions may take to finish after SIGTERM.
        drain-timeout: 10s

        tls:
          # PEM files: the server's certificate (followed by its intermediate ones) and its key; needed for a tls: entry in
          # `listen`. The certificate must name the domains served (RFC 5922): as sip URI or DNS name.
          # certificate: certificate.pem
          # key: key.pem
          # Certificates to trust, a file or a directory with hashed names; default: the system's.
          # trust: ca.pem
          # A certificate to show to other servers; default: the server's own.
          # outgoing-certificate: outgoing.pem
          # outgoing-key: outgoing-key.pem
          # Whether TLS clients are asked for a certificate: none, request (one that is shown must be valid), require.
          client-certificate: none

        authentication:
          # Whether users must prove who they are (digest, RFC 7616) to register and to send. Accounts: `godwit user add`.
          required: true
          # Protection space in challenges; default: the first domain. Accounts are made for one realm.
          # realm: example.com
          # Algorithms offered, most preferred first: SHA-256, SHA-512-256, MD5 (RFC 8760). Many phones know only MD5.
          algorithms: [SHA-256, MD5]
          # Nonces older than this are answered with stale=true; clients repeat by themselves.
          nonce-lifetime: 5m

        # Neighbours, by address or network, whose requests need no credentials and whose P-Asserted-Identity is believed
        # (RFC 3325). Only machines of yours. With a port, such as 192.0.2.7:5060, only requests from that UDP port count.
        trusted-peers: []

        # Next hops for domains that are not to be looked up in DNS (RFC 3263).
        # - {domain: example.net, next-hop: "sip:192.0.2.7:5060;transport=tcp"}
        routes: []

        # Directory with link profiles (lan.yaml, gprs.yaml ...); without it there is only the built-in lan.
        # profiles-directory: profiles

        # Which link profile a flow gets: the first rule whose network, transport and account all match; else lan.
        # - {network: 10.1.0.0/16, profile: gprs}
        # - {account: polar@example.com, transport: udp, profile: hf-radio}
        profile-rules: []

        # SigComp beside plain SIP on the same ports (RFC 5049): taken from everybody, sent to peers that ask for it with
        # comp=sigcomp in their Contact, Via or Route. A link profile may switch it off for its flows.
        sigcomp:
          enabled: true
          # This server's SIP/SigComp identifier, a URN; default: one that follows from the installation's secret.
          # identifier: urn:uuid:0c67446e-f1a1-11d9-94d3-000a95a0e128
          # What peers may use here: memory for one decompression, memory for the states of each peer, and work.
          memory: 64KiB
          state-memory: 64KiB
          cycles-per-bit: 64
          # Compress against the peer's messages too, where it does the same (RFC 3321).
          sharing: true
          # Algorithms to compress with, the preferred first; the first that a peer can bear is used.
          algorithms: [\(CompressionAlgorithm.allCases.map(\.rawValue).joined(separator: ", "))]
          # Addresses and networks of next hops that get SigComp without having asked for it. With `pair: true` the other end is
          # a Godwit configured alike:  {at: "192.0.2.7:5060", identifier: "urn:uuid:…", pair: true}
          peers: []
          # Peers for which states are kept, and the bytes for all of them; beyond, those silent for longest are forgotten.
          compartments: 10000
          compartment-bytes: 256MiB
          # Peers silent for so long are forgotten; longer than registrations last.
          compartment-lifetime: 7d
          # Answers a second to messages that cannot be decompressed: to one address, and to all.
          nacks-per-source: 5
          nacks: 1000

        presence:
          # Whether PUBLISH, and SUBSCRIBE to presence, presence.winfo and reg, are served here; else they are passed on.
          enabled: true
          # What watchers get of users who have no rules (`godwit presence rules`): block, confirm (they wait until the user
          # decides), polite-block (they see the user unavailable), allow.
          unruled-watchers: allow
          # Users who may publish for everybody: adapters of network sources.
          publishers: []
          # Users who may see everybody's watchers and registrations.
          observers: []
          # Whether a registration counts as presence while the user publishes none.
          registrations: true
          # Activities besides the usual ones (busy, meeting, dnd ...) in which a user's queue gives out urgent messages only.
          busy-activities: []
          # Lives of subscriptions and publications that clients may ask for.
          subscriptions: {minimum: 60s, maximum: 1d, default: 1h}
          publications: {minimum: 60s, maximum: 1d, default: 1h}
          subscriptions-per-watcher: 1000
          subscriptions-in-all: 2000000
          publications-per-user: 32
          # Larger documents are refused with 413.
          document-size: 64KiB
          # A subscription is notified at most once in this time, whatever it asks for (RFC 6446); 0s: no limit.
          notification-interval: 0s
          # Watchers told per second of the present state after a restart.
          resumptions-per-second: 2000
          # Presence servers (event: presence) and registrars (event: reg) elsewhere that know when users of ours are there.
          # They are subscribed to for users whose messages wait, and wake the queue.
          # - {event: presence, server: "sip:192.0.2.9:5060;transport=tcp", as: store@example.com, password-file: secret}
          external: []

        quotas:
          # Stored messages waiting for one recipient, and their bytes; more are refused with a Warning that says why.
          # 0 is no limit.
          messages-per-recipient: 100000
          bytes-per-recipient: 64MiB
          # Stored messages of one sender that wait, over all recipients, and their bytes.
          messages-per-sender: 1000000
          bytes-per-sender: 0
          # Stored messages that wait in all.
          messages-in-all: 50000000

        limits:
          # Devices one user may have registered at once.
          bindings-per-user: 16
          # Parallel branches one request may open in all (RFC 5393).
          max-breadth: 60
          # Requests under way at once; beyond, new ones are answered 503.
          open-requests: 500000
          # Messages that may wait in memory for the one before them to the same device; beyond, the store takes them over.
          relays-in-line: 1024
          # Endpoints on links with a budget that are paced at once; what goes to others leaves unpaced.
          constrained-endpoints: 100000
          # Requests a second accepted from one source address, and how many at once; 0 is no limit. A burst of 0 is one
          # second's worth.
          requests-per-source: 0
          request-burst-per-source: 0
          # The same for one identity (the user who sends).
          requests-per-identity: 0
          request-burst-per-identity: 0
          # TCP and TLS connections in all, and from one address.
          connections: 50000
          connections-per-source: 1000
          # Bytes waiting for a peer to read them before its connection is closed.
          pending-bytes-per-connection: 4MiB

        store:
          # How long accepted messages are remembered so that the same message sent again is stored once.
          duplicate-window: 1h
          # How long ended messages (delivered, expired, refused) stay visible to `godwit queue`.
          history: 1h
          # Durable steps committed to disk as one group at most.
          group-limit: 1000
          # Durable steps that may wait for the disk before new work is answered 503.
          pending-commands: 200000

        log:
          # trace, debug, info, notice, warning, error or critical; to standard error.
          level: info
          # text or json (one object a line).
          format: text

        dns:
          # Name servers, address and optional port; default: the system's.
          servers: []
          # Time for the first answer to a query; doubles with every try.
          timeout: 2s
          tries: 3
          # Address families to use.
          ipv4: true
          ipv6: true
          # Which comes first where a server has addresses of both.
          prefer-ipv6: true

        """
}
