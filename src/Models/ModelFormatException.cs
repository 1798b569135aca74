namespace Condense.Models;

/// <summary>A model file is broken, hostile, or of a kind that is not read. The user's fault, never ours.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Names the cause, the place and, in the message, the cure.</summary>
    /// <param name="code">The cause.</param>
    /// <param name="message">One or two sentences with the values found and expected.</param>
    /// <param name="offset">Byte offset in the file where the trouble is, when known.</param>
    /// <param name="tensor">The tensor that it concerns, when there is one.</param>
    /// <param name="innerException">What was caught, if anything.</param>
    public ModelFormatException(ModelFormatError code, string message, long? offset = null, string? tensor = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        Offset = offset;
        Tensor = tensor;
    }

    /// <summary>The cause.</summary>
    public ModelFormatError Code { get; }

    /// <summary>Byte offset in the file where the trouble is, when known.</summary>
    public long? Offset { get; }

    /// <summary>The tensor that it concerns, when there is one.</summary>
    public string? Tensor { get; }
}
