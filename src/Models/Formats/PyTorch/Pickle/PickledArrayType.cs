namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>A NumPy dtype.</summary>
/// <param name="code">Its kind and size, such as <c>f4</c>.</param>
internal sealed class PickledArrayType(string code)
{
    /// <summary>Its kind and size, such as <c>f4</c>.</summary>
    public string Code => code;

    /// <summary>The order of bytes that BUILD gave it: <c>&lt;</c>, <c>&gt;</c>, <c>|</c> or <c>=</c>.</summary>
    public string ByteOrder { get; set; } = "=";
}
