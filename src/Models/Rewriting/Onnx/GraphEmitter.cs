using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>Adds nodes and constants to a graph that is being written.</summary>
/// <param name="graph">The graph.</param>
/// <param name="opset">The version of the standard operators.</param>
/// <param name="irVersion">The version of the file's own format, which says what types constants may have.</param>
/// <param name="names">Names that are free in the whole program, of values and of nodes.</param>
/// <param name="constants">How a constant is added.</param>
internal sealed class GraphEmitter(ModelGraph graph, long opset, long irVersion, UniqueNames names, ConstantPlace constants)
{
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);
    private readonly HashSet<string> _constants = new(StringComparer.Ordinal);

    /// <summary>The version of the standard operators.</summary>
    public long Opset => opset;

    /// <summary>The version of the file's own format.</summary>
    public long IrVersion => irVersion;

    /// <summary>A name that nothing in the program has.</summary>
    /// <param name="wanted">The name to begin with.</param>
    public string NewName(string wanted) => names.New(wanted);

    /// <summary>Whether a constant was added to this graph, and not to one around it.</summary>
    /// <param name="constant">The constant's name.</param>
    public bool Holds(string constant) => _constants.Contains(constant);

    /// <summary>Adds a node as it is.</summary>
    /// <param name="node">The node.</param>
    public void Add(Node node) => graph.Nodes.Add(node);

    /// <summary>Adds a node of a standard operator with one output, under which name the node goes too.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="output">Its output, a name of <see cref="NewName"/>.</param>
    /// <param name="attributes">Its settings.</param>
    /// <returns>The output.</returns>
    public string Add(string opType, IEnumerable<string> inputs, string output, params ReadOnlySpan<NodeAttribute> attributes)
    {
        var node = new Node { Name = output, OpType = opType };
        node.Inputs.AddRange(inputs);
        node.Outputs.Add(output);
        node.Attributes.AddRange(attributes);
        graph.Nodes.Add(node);
        return output;
    }

    /// <summary>Adds a constant tensor.</summary>
    /// <param name="tensor">The tensor; its name is one of <see cref="NewName"/>.</param>
    public void AddConstant(Tensor tensor)
    {
        _constants.Add(tensor.Name);
        if (constants == ConstantPlace.Node)
        {
            Add("Constant", [], tensor.Name, new NodeAttribute { Name = "value", Kind = AttributeKind.Tensor, Tensors = [new Initializer(tensor)] });
            return;
        }

        graph.Initializers.Add(new Initializer(tensor));
        if (constants == ConstantPlace.InitializerAndInput)
        {
            graph.Inputs.Add(new ValueInfo
            {
                Name = tensor.Name,
                DType = tensor.DType,
                Shape = [.. tensor.Shape.Dimensions.Select(size => new Dimension(size, ""))],
            });
        }
    }

    /// <summary>A value that the graph computes or holds once, however many ask for it.</summary>
    /// <param name="key">What it is.</param>
    /// <param name="make">Adds it, and returns its name.</param>
    public string Shared(string key, Func<string> make)
    {
        if (!_shared.TryGetValue(key, out string? name))
        {
            name = make();
            _shared.Add(key, name);
        }

        return name;
    }

    /// <summary>The vector <c>0,…,0,1,…,1,2,…</c> of a length, each number standing as often as a group is long.</summary>
    /// <param name="length">How many entries.</param>
    /// <param name="groupSize">How long a group is.</param>
    public string GroupNumbers(long length, int groupSize) => Shared($"groups {length} {groupSize}", () =>
    {
        int[] numbers = new int[length];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = i / groupSize;
        }

        string name = NewName($"groups.{length}.{groupSize}");
        AddConstant(new Tensor(name, DType.I32, new TensorShape(length), new MemoryTensorData(MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray())));
        return name;
    });

    /// <summary>A table of what each of the 256 bytes holds: the codes that share it, the lowest bits first. 256×(8/bits), I8 or U8.</summary>
    /// <param name="bits">Bits of a code: 2 or 4.</param>
    /// <param name="signed">Two's complement instead of unsigned.</param>
    public string CodesOfBytes(int bits, bool signed) => Shared($"codes of bytes {bits} {signed}", () =>
    {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)i;
        }

        byte[] codes = new byte[bytes.Length * (8 / bits)];
        PackedNumbers.Unpack(bytes, bits, signed, codes);
        string name = NewName($"codes.{bits}.{(signed ? "signed" : "unsigned")}");
        AddConstant(new Tensor(name, signed ? DType.I8 : DType.U8, new TensorShape(bytes.Length, 8 / bits), new MemoryTensorData(codes)));
        return name;
    });

    /// <summary>One whole number as a constant without dimensions, of 64 bits.</summary>
    /// <param name="number">The number.</param>
    public string Number(long number) => Shared($"number {number}", () =>
    {
        string name = NewName($"number.{number}");
        AddConstant(new Tensor(name, DType.I64, new TensorShape(), new MemoryTensorData(MemoryMarshal.AsBytes([number]).ToArray())));
        return name;
    });

    /// <summary>The number 0 as a constant without dimensions: before opset 11, Gemm can't do without a third input.</summary>
    /// <param name="type">Its type: of 16, 32 or 64 bits.</param>
    public string Zero(DType type) => Shared($"zero {type}", () =>
    {
        string name = NewName("zero");
        AddConstant(new Tensor(name, type, new TensorShape(), new ZeroTensorData(type.BitsPerElement() / 8)));
        return name;
    });

    /// <summary>Dimensions as a constant, for <c>Reshape</c>.</summary>
    /// <param name="dimensions">The dimensions.</param>
    public string Dimensions(ImmutableArray<long> dimensions) => Shared($"shape {string.Join(' ', dimensions)}", () =>
    {
        string name = NewName($"shape.{string.Join('.', dimensions)}");
        AddConstant(new Tensor(name, DType.I64, new TensorShape(dimensions.Length), new MemoryTensorData(MemoryMarshal.AsBytes(dimensions.AsSpan()).ToArray())));
        return name;
    });
}
