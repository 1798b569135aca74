namespace Condense.Service.Storage;

/// <summary>The service can't start, for a reason that its owner can mend. The message says how.</summary>
internal sealed class StartupException(string message, Exception? innerException = null) : Exception(message, innerException);
