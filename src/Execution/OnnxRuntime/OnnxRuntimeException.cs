using System.Text.RegularExpressions;

namespace Condense.Execution.OnnxRuntime;

/// <summary>ONNX Runtime refused a library, a model or a run; the message is the runtime's own.</summary>
public sealed partial class OnnxRuntimeException : Exception
{
    /// <summary>Takes the runtime's words.</summary>
    /// <param name="message">What the runtime said.</param>
    /// <param name="innerException">What was caught, if anything.</param>
    public OnnxRuntimeException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
        var match = NodeName().Match(message);
        Node = match.Success ? match.Groups["node"].Value : null;
    }

    /// <summary>The node that failed, when the runtime named one.</summary>
    public string? Node { get; }

    // "… while running Conv node. Name:'conv1' …" from a run, "Node (conv1) Op (Conv) …" from loading a model.
    [GeneratedRegex(@"(?:Name:'|Node ?\()(?<node>[^')]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NodeName();
}
