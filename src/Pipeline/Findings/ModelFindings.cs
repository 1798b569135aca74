using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Findings;

/// <summary>What the owner of a model should know before anything is done to it, whatever its format.</summary>
internal sealed class ModelFindings
{
    /// <summary>Integer constants that take this share of the file are worth a word.</summary>
    private const double LargeShare = 0.1;

    /// <summary>Smaller equal tensors are coincidences: biases of zeros, scalars.</summary>
    private const long LeastTiedBytes = 1024;

    /// <summary>Per-axis scales came into DequantizeLinear with 13; before, decoding takes more nodes.</summary>
    private const long FirstOpsetWithAxis = 13;

    private readonly FindingList _list = new();

    private readonly HashSet<Tensor> _nonFinite = new(ReferenceEqualityComparer.Instance);

    /// <summary>Looks at a model: its structure, and each of its tensors once. O(bytes); a buffer beside a few words per tensor.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layers">Its layers.</param>
    /// <param name="bytes">Bytes of all its files.</param>
    /// <param name="cancellationToken">Stops between two buffers.</param>
    /// <exception cref="ModelFormatException">Metadata of an earlier compression can't be read.</exception>
    public ModelFindings(Model model, IReadOnlyList<Layer> layers, long bytes, CancellationToken cancellationToken)
    {
        AddParts(model);
        AddTensors(model, layers, cancellationToken);
        AddStructures(model);
        AddQuantized(model);
        AddTypes(model, bytes);
        AddGraph(model, layers);
    }

    /// <summary>Tensors with an element that is not finite.</summary>
    public IReadOnlySet<Tensor> NonFinite => _nonFinite;

    /// <summary>Whether a weight is not finite, which no method has an answer for.</summary>
    public bool IsRejected { get; private set; }

    /// <summary>Those of the reader, then these.</summary>
    /// <param name="model">The model.</param>
    /// <param name="compressible">Whether a method applies to any weight.</param>
    public IReadOnlyList<ModelFinding> With(Model model, bool compressible)
    {
        if (!compressible && !IsRejected)
        {
            _list.Add(FindingCodes.NothingCompressible, "The model has no weight that a method applies to.");
        }

        return [.. model.Findings, .. _list.ToList()];
    }

    private void AddParts(Model model)
    {
        if (model.UsedParts.Count > 0)
        {
            _list.Add(
                FindingCodes.ExternalData,
                $"Tensors lie in {FindingList.Count(model.UsedParts.Count, "file")} beside the main one: {FindingList.Names(model.UsedParts.Order(StringComparer.Ordinal), model.UsedParts.Count)}. They belong to the model and count in its size.");
        }
    }

    /// <summary>NaN and infinities, and tensors with the same bytes, in one pass. Constants of a graph that are no weights may hold what they like.</summary>
    private void AddTensors(Model model, IReadOnlyList<Layer> layers, CancellationToken cancellationToken)
    {
        var weights = model.Program is null ? null : layers.Where(layer => layer.Role != WeightRole.Other).Select(layer => layer.Tensor).ToHashSet<Tensor>(ReferenceEqualityComparer.Instance);
        var sizes = model.Tensors.CountBy(tensor => (tensor.DType, tensor.Data.ByteLength)).ToDictionary();
        var equal = new Dictionary<(DType, string), List<Tensor>>();
        foreach (var tensor in model.Tensors)
        {
            bool mayBeTied = tensor.Data.ByteLength >= LeastTiedBytes && sizes[(tensor.DType, tensor.Data.ByteLength)] > 1;
            var scan = TensorScan.Of(tensor, mayBeTied, cancellationToken);
            if (scan.NonFiniteCount > 0)
            {
                AddNonFinite(tensor, scan, weights is null || weights.Contains(tensor));
            }

            if (scan.Digest is { } digest)
            {
                if (!equal.TryGetValue((tensor.DType, digest), out var group))
                {
                    equal.Add((tensor.DType, digest), group = []);
                }

                group.Add(tensor);
            }
        }

        // A reader that sees the storages has said so already.
        var told = model.Findings.Where(finding => string.Equals(finding.Code, FindingCodes.TiedWeights, StringComparison.Ordinal)).Select(finding => finding.Tensor).ToHashSet(StringComparer.Ordinal);
        foreach (var group in equal.Values.Where(group => group.Count > 1 && !group.Exists(tensor => told.Contains(tensor.Name))))
        {
            _list.Add(
                FindingCodes.TiedWeights,
                FindingList.Invariant($"{FindingList.Names(group.Select(tensor => tensor.Name), group.Count)} hold the same {group[0].Data.ByteLength:N0} bytes. They are stored and compressed each by itself."),
                group[0].Name);
        }
    }

    private void AddNonFinite(Tensor tensor, TensorScan scan, bool isWeight)
    {
        _nonFinite.Add(tensor);
        IsRejected |= isWeight;
        string what = FindingList.Invariant($"Tensor {tensor.Name} ({tensor.DType}, {tensor.Shape}) holds {scan.NonFiniteCount:N0} NaN or infinities, the first at index {scan.FirstNonFinite}.");
        _list.Add(
            isWeight ? FindingCodes.NonFiniteWeights : FindingCodes.NonFinite,
            isWeight ? $"{what} Export the model again from a checkpoint with finite weights." : $"{what} It is a constant and no weight: it stays as it is.",
            tensor.Name);
    }

    private void AddStructures(Model model)
    {
        var structured = ModelRewriter.FindStructured(model);
        if (structured.Count > 0)
        {
            string methods = string.Join(", ", structured.CountBy(layer => layer.Method, StringComparer.Ordinal).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}"));
            _list.Add(
                FindingCodes.AlreadyCompressed,
                $"{FindingList.Count(structured.Count, "layer")} ({methods}) stand here as this service compressed them: {FindingList.Names(structured.Select(layer => layer.Name), structured.Count)}. Compress the original instead, where you have it.");
        }
    }

    private void AddQuantized(Model model)
    {
        var own = ModelRewriter.FindStructured(model).SelectMany(layer => layer.TensorNames).ToHashSet(StringComparer.Ordinal);
        var codes = QuantizedTensors.Find(model).Where(tensor => !own.Contains(tensor.Name)).ToArray();
        if (codes.Length > 0)
        {
            _list.Add(FindingCodes.AlreadyQuantized, $"{FindingList.Tell(codes)} hold integer codes of weights already: rounding them again gains little. What a DequantizeLinear widens can still be factored; all others stay as they are.", codes[0].Name);
        }
    }

    private void AddTypes(Model model, long bytes)
    {
        foreach (var group in model.Tensors.Where(tensor => IsUnusual(tensor.DType)).GroupBy(tensor => tensor.DType).OrderBy(group => group.Key))
        {
            Tensor[] tensors = [.. group];
            string advice = group.Key == DType.F64 ? "64-bit floats are twice as large as models mostly are; results are computed in 32 bits." : "Methods leave elements of this type as they are.";
            _list.Add(FindingCodes.UnusualDType, $"{FindingList.Tell(tensors)} have elements of type {group.Key}. {advice}", tensors[0].Name);
        }

        Tensor[] integers = [.. model.Tensors.Where(tensor => tensor.DType is DType.I64 or DType.I32 or DType.U64 or DType.U32).OrderByDescending(tensor => tensor.Data.ByteLength)];
        long integerBytes = integers.Sum(tensor => tensor.Data.ByteLength);
        if (integerBytes > bytes * LargeShare)
        {
            _list.Add(
                FindingCodes.LargeIntegerConstants,
                FindingList.Invariant($"{integerBytes:N0} of the file's {bytes:N0} bytes are integers of 32 and 64 bits ({FindingList.Names(integers.Select(tensor => tensor.Name), integers.Length)}). They are indices and shapes, which no method touches: no ratio above {(double)bytes / integerBytes:F2} can be reached."),
                integers[0].Name);
        }
    }

    private static bool IsUnusual(DType dtype) => dtype is DType.F64 or DType.C64 or DType.C128 or DType.U16 or DType.U32 or DType.U64 or DType.I16
        || (dtype.IsFloatingPoint() && dtype is not (DType.F32 or DType.F16 or DType.BF16));

    private void AddGraph(Model model, IReadOnlyList<Layer> layers)
    {
        if (model.Program is not { } program)
        {
            return;
        }

        foreach (var layer in layers.Where(layer => layer.Uses.Any(use => use.Node.Is("Gather") && use.Input == 0) && layer.Uses.Any(use => use.Node.Is("MatMul") || use.Node.Is("Gemm") || use.Node.Is("Transpose"))))
        {
            _list.Add(FindingCodes.TiedWeights, $"{layer.Name} is looked up as a table and multiplied as a projection: both change together.", layer.Name);
        }

        var unused = UnusedInitializers.Find(program);
        if (unused.Count > 0)
        {
            _list.Add(FindingCodes.UnusedInitializers, $"{FindingList.Tell(unused)} are used by no node. Remove them when the model is exported: they take room and do nothing.", unused[0].Name);
        }

        if (program.Opset is > 0 and < FirstOpsetWithAxis && layers.Any(layer => layer.Role != WeightRole.Other))
        {
            _list.Add(
                FindingCodes.OldOpset,
                FindingList.Invariant($"The model uses opset {program.Opset}. Before {FirstOpsetWithAxis}, quantized weights are decoded by several nodes each instead of one, which costs a few hundred bytes and some time a layer."));
        }
    }
}
