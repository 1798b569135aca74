using System.Text.Json.Serialization;

namespace Condense.Engine.Structures;

/// <summary>
/// The shape of a structured matrix without its numbers: enough to count its bits and operations, to plan a file's layout to the byte, and
/// to be written beside the numbers so that they can be read again.
/// </summary>
/// <param name="Rows">Rows of the matrix that it stands for.</param>
/// <param name="Columns">Columns of the matrix that it stands for.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "structure")]
[JsonDerivedType(typeof(DenseForm), "dense")]
[JsonDerivedType(typeof(ProductForm), "product")]
[JsonDerivedType(typeof(QuantizedForm), "quantized")]
[JsonDerivedType(typeof(RowPartitionForm), "rowPartition")]
public abstract record StructureForm(int Rows, int Columns)
{
    /// <summary>Bits of everything that is stored: codes, scales, zero points, factors.</summary>
    [JsonIgnore]
    public abstract long StorageBits { get; }

    /// <summary>Stored numbers as papers count them: entries of factors and codes, without scales and zero points.</summary>
    [JsonIgnore]
    public abstract long ParameterCount { get; }

    /// <summary>Multiply-adds of <c>W·x</c> for one column x.</summary>
    [JsonIgnore]
    public abstract long MultiplyAddsPerColumn { get; }
}
