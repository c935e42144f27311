// crash-child: works on a store until it is killed, and says on standard output what it is about to do and what the store
// has acknowledged. Used by CrashTests; see CrashJournal there for the lines.
//
//     crash-child <database> <seed>

import Foundation
import LinkProfiles
import MessageStore
import MessageStoreSQLite

let arguments = CommandLine.arguments
guard arguments.count == 3, let seed = UInt64(arguments[2]) else {
    FileHandle.standardError.write(Data("usage: crash-child <database> <seed>\n".utf8))
    exit(64)
}

func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

do {
    var options = StoreOptions()
    // Small, so that kills also fall into checkpoints.
    options.checkpointBytes = 256 << 10
    let store = try SQLiteMessageStore(path: arguments[1], options: options)
    var workload = Workload(seed: seed)
    workload.numbering = try store.recover(duplicatesSince: Instant(microseconds: 0), into: &workload)
    say("ready \(workload.numbering.lastMessage.rawValue)")
    while true {
        let group = workload.next()
        say("try \(group.description)")
        let claimed = try store.commit(group.commands)
        say("did \(group.description)")
        workload.committed(group, claimed)
    }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
