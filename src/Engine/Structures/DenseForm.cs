using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>The shape of a <see cref="DenseMatrix"/>.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="Format">How an entry is stored.</param>
public sealed record DenseForm(int Rows, int Columns, FloatFormat Format) : StructureForm(Rows, Columns)
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override long StorageBits => ParameterCount * (Format == FloatFormat.F32 ? 32 : 16);

    /// <inheritdoc/>
    [JsonIgnore]
    public override long ParameterCount => (long)Rows * Columns;

    /// <inheritdoc/>
    [JsonIgnore]
    public override long MultiplyAddsPerColumn => ParameterCount;
}
