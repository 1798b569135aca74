namespace Condense.Service.Isolation;

/// <summary>A child ended without a word: it crashed, was killed, or was about to take more memory than it may.</summary>
/// <param name="message">How, in words for the job's owner.</param>
/// <param name="ranOutOfMemory">Whether memory was the reason.</param>
internal sealed class ChildDiedException(string message, bool ranOutOfMemory) : Exception(message)
{
    /// <summary>Whether memory was the reason.</summary>
    public bool RanOutOfMemory => ranOutOfMemory;
}
