namespace Condense.Service.Webhooks;

/// <summary>A receiver that can't or may not be reached; the message says why in words for its owner.</summary>
internal sealed class UnreachableReceiverException(string message, Exception? innerException = null) : Exception(message, innerException);
