using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Condense.Engine.Matrices;
using Condense.Execution.OnnxRuntime;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Tensors;
using Xunit;

namespace Condense.Execution.Tests.Rewriting;

/// <summary>One way for a graph to use a weight <c>W</c>: it builds the model around the weight, at any opset.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Shape">The tensor's dimensions.</param>
/// <param name="Rows">Rows of W, out×in.</param>
/// <param name="Columns">Columns of W.</param>
/// <param name="Transposed">Whether the tensor is Wᵀ.</param>
/// <param name="Add">Adds inputs, nodes and outputs around the weight, and the weight itself.</param>
internal sealed record WeightContext(string Name, long[] Shape, int Rows, int Columns, bool Transposed, Action<TestModel, Tensor> Add)
{
    /// <summary>The first opset that has the operators as they are used here.</summary>
    public int MinOpset { get; init; } = 7;

    /// <summary>Whether a product of factors can take the weight's place.</summary>
    public bool TakesFactors { get; init; }

    /// <summary>Whether factors can take its place, but blocks of rows that are factors can't: rows of W are no entries of what the graph computes with it.</summary>
    public bool WithoutBlocksOfFactors { get; init; }

    /// <summary>Whether the graph tells that W lies this way round; else it is compressed the other way, which must do as well.</summary>
    public bool AsFound { get; init; } = true;

    /// <summary>The type of the weight and of what goes in and out.</summary>
    public DType Type { get; init; } = DType.F32;

    /// <summary>How many rows ids may name; 0: as many as the tensor has.</summary>
    public long Ids { get; init; }

    /// <summary>Builds the model.</summary>
    /// <param name="weight">W.</param>
    /// <param name="opset">The opset.</param>
    /// <param name="irVersion">The IR version.</param>
    public Model Build(Matrix weight, int opset, long irVersion = 8)
    {
        var stored = Transposed ? Turn(weight) : weight;
        var tensor = new Tensor("W", Type, new TensorShape(Shape), new MemoryTensorData(Bytes(stored.Values)));
        var model = TestModel.Create(opset, irVersion);
        Add(model, tensor);
        return model.Build();
    }

    /// <summary>The layer of the weight.</summary>
    /// <param name="model">What <see cref="Build"/> made.</param>
    public Layer FindLayer(Model model)
    {
        var layer = LayerFinder.Find(model).Single(layer => string.Equals(layer.Constant?.Outputs[0] ?? layer.Tensor.Name, "W", StringComparison.Ordinal));
        if (AsFound)
        {
            Assert.Equal((Rows, Columns, Transposed), (layer.Rows, layer.Columns, layer.Transposed));
        }

        return layer with { Rows = Rows, Columns = Columns, Transposed = Transposed };
    }

    /// <summary>
    /// Inputs from N(0,1); ids from the table's rows, from opset 11 two of them counted from the end; both values of a condition, one after the other.
    /// </summary>
    /// <param name="session">The session that they are for.</param>
    /// <param name="opset">The opset.</param>
    public IEnumerable<IReadOnlyDictionary<string, RuntimeTensor>> MakeInputs(OnnxRuntimeSession session, int opset)
    {
        var inputs = new RandomInputs(1, new Dictionary<string, long>(StringComparer.Ordinal) { ["ids"] = Limit }).Create(session.Inputs, 1, 8);
        if (opset >= 11 && inputs.TryGetValue("ids", out var ids))
        {
            // The last row but one, and the second.
            WriteId(ids, 0, -2);
            WriteId(ids, 1, 1 - (int)Limit);
        }

        if (!inputs.TryGetValue("c", out var condition))
        {
            return [inputs];
        }

        return new byte[] { 0, 1 }.Select(value => new Dictionary<string, RuntimeTensor>(inputs, StringComparer.Ordinal)
        {
            ["c"] = condition with { Data = [value] },
        });
    }

    private long Limit => Ids > 0 ? Ids : Shape[0];

    private static void WriteId(RuntimeTensor ids, int index, int id)
    {
        int size = ids.DType == DType.I64 ? sizeof(long) : sizeof(int);
        if (index * size >= ids.Data.Length)
        {
            return;
        }

        var place = ids.Data.AsSpan(index * size, size);
        if (ids.DType == DType.I64)
        {
            BinaryPrimitives.WriteInt64LittleEndian(place, id);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(place, id);
        }
    }

    private static Matrix Turn(Matrix matrix)
    {
        var turned = new Matrix(matrix.Columns, matrix.Rows);
        for (int i = 0; i < matrix.Rows; i++)
        {
            for (int j = 0; j < matrix.Columns; j++)
            {
                turned[j, i] = matrix[i, j];
            }
        }

        return turned;
    }

    private byte[] Bytes(float[] values) => Type switch
    {
        DType.F16 => MemoryMarshal.AsBytes(Array.ConvertAll(values, value => (Half)value).AsSpan()).ToArray(),
        DType.F64 => MemoryMarshal.AsBytes(Array.ConvertAll(values, value => (double)value).AsSpan()).ToArray(),
        _ => MemoryMarshal.AsBytes(values.AsSpan()).ToArray(),
    };
}
