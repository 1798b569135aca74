namespace Condense.Pipeline.Stages;

/// <summary>The file that was written does not hold what was computed: our fault, and the file is not published.</summary>
/// <param name="message">What differs where.</param>
public sealed class VerificationException(string message) : Exception(message);
