namespace Condense.Cli;

/// <summary>The command line parses but makes no sense.</summary>
/// <param name="message">What is wrong and what to write instead; several problems each on a line of its own.</param>
internal sealed class UsageException(string message) : Exception(message);
