import ArgumentParser
import Foundation
import GodwitServer
import LinkProfiles
import MessageStore

/// The codes of sysexits.h that this command uses.
enum ExitStatus {
    static let failed = ExitCode(1)
    static let usage = ExitCode(64)
    static let dataDamaged = ExitCode(65)
    static let noInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let defect = ExitCode(70)
    static let cannotCreate = ExitCode(73)
    static let ioError = ExitCode(74)
    static let tryLater = ExitCode(75)
    static let notPermitted = ExitCode(77)
    static let configuration = ExitCode(78)
}

/// Prints why a command ends, and says with which code.
func failing(_ code: ExitCode, _ reason: String) -> ExitCode {
    printError("godwit: \(reason)")
    return code
}

func failing(_ failure: SettingsFailure) -> ExitCode {
    for problem in failure.problems { printError("godwit: \(problem)") }
    return ExitStatus.configuration
}

func failing(_ failure: StoreFailure) -> ExitCode {
    let code =
        switch failure {
        case .locked: ExitStatus.tryLater
        case .damaged: ExitStatus.dataDamaged
        case .full, .io: ExitStatus.ioError
        case .misuse: ExitStatus.dataDamaged
        }
    return failing(code, failure.text)
}

func failing(_ failure: AdminClient.Failure) -> ExitCode {
    switch failure {
    case .noServer: failing(ExitStatus.unavailable, failure.description)
    case .notPermitted: failing(ExitStatus.notPermitted, failure.description)
    case .broken: failing(ExitStatus.ioError, failure.description)
    }
}

func failing(_ failure: ServerFailure) -> ExitCode {
    switch failure {
    case .store(let failure): failing(failure)
    case .cannotUse: failing(ExitStatus.cannotCreate, failure.description)
    case .transport: failing(ExitStatus.unavailable, failure.description)
    case .adminSocket: failing(ExitStatus.cannotCreate, failure.description)
    }
}

/// Writes a line to standard error.
func printError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
