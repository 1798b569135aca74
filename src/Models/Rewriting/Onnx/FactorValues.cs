using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>
/// The factors of a stored weight S = L·R as values of a graph, in the guise in which a consumer wants them. What the consumer got is M = S, or M = Sᵀ =
/// Rᵀ·Lᵀ where a Transpose stood in front of it.
/// </summary>
/// <param name="emitter">The graph.</param>
/// <param name="product">The constants of L and R.</param>
/// <param name="plan">The layer.</param>
/// <param name="place">What the consumer got.</param>
internal sealed class FactorValues(GraphEmitter emitter, StoredProduct product, LayerPlan plan, Graph.WeightPlace place)
{
    private readonly int _rank = ((Engine.Structures.ProductForm)plan.Compressed.Form).Rank;
    private readonly int _rows = plan.Layer.Transposed ? plan.Layer.Columns : plan.Layer.Rows;
    private readonly int _columns = plan.Layer.Transposed ? plan.Layer.Rows : plan.Layer.Columns;

    /// <summary>Whether M is Sᵀ.</summary>
    public bool Flipped => place.Flipped;

    /// <summary>L as a matrix.</summary>
    public string StoredLeft => WeightDecoding.Whole(emitter, product.Left, place.Type, new TensorShape(_rows, _rank));

    /// <summary>R as a matrix.</summary>
    public string StoredRight => WeightDecoding.Whole(emitter, product.Right, place.Type, new TensorShape(_rank, _columns));

    /// <summary>The first factor of M.</summary>
    /// <param name="leadingOnes">Whether it has as many dimensions as what the consumer got.</param>
    public string First(bool leadingOnes) => Shape(Flipped ? Turn(StoredRight) : StoredLeft, Flipped ? _columns : _rows, _rank, leadingOnes);

    /// <summary>The second factor of M.</summary>
    /// <param name="leadingOnes">Whether it has as many dimensions as what the consumer got.</param>
    public string Second(bool leadingOnes) => Shape(Flipped ? Turn(StoredLeft) : StoredRight, _rank, Flipped ? _rows : _columns, leadingOnes);

    /// <summary>L in the dimensions that a convolution or a recurrent layer takes.</summary>
    /// <param name="kind">What the consumer does.</param>
    public string ConsumerLeft(ConsumerKind kind) => WeightDecoding.Whole(emitter, product.Left, place.Type, FactorShapes.Left(kind, place.Shape, _rank));

    /// <summary>R in the dimensions that a convolution takes.</summary>
    /// <param name="kind">What the consumer does.</param>
    public string ConsumerRight(ConsumerKind kind) => WeightDecoding.Whole(emitter, product.Right, place.Type, FactorShapes.Right(kind, place.Shape, _rank));

    /// <summary>Rᵀ, from a recurrent layer's inputs to what its gates take.</summary>
    public string Projection() => Turn(StoredRight);

    private string Turn(string matrix) => WeightDecoding.Turned(emitter, matrix);

    private string Shape(string matrix, int rows, int columns, bool leadingOnes)
    {
        if (!leadingOnes || place.Shape.Rank == 2)
        {
            return matrix;
        }

        string shape = emitter.Dimensions([.. Enumerable.Repeat(1L, place.Shape.Rank - 2), rows, columns]);
        return emitter.Shared($"shaped {matrix} {shape}", () => emitter.Add("Reshape", [matrix, shape], emitter.NewName($"{matrix}.shaped")));
    }
}
