using Condense.Models.Formats.Onnx;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>Raises the version of a model's standard operators without changing what the model computes.</summary>
public static class OpsetConversion
{
    /// <summary>The oldest opset that is converted.</summary>
    public const long Oldest = 7;

    /// <summary>The newest opset that models are converted to.</summary>
    public const long Newest = 25;

    /// <summary>
    /// Makes the model whose standard operators are of a higher opset. Each node goes from version to version of its operator: what changed its meaning or
    /// its inputs is rewritten, what did not stays. Subgraphs and functions of the model's own go along; operators of other domains are left as they are.
    /// The IR version rises to the first that knows the opset; initializers of old files are then no inputs any more. The original is not changed and must
    /// stay open while the result is used. O(nodes·versions + tensors); reads no weight.
    /// </summary>
    /// <param name="model">An ONNX model.</param>
    /// <param name="opset">From the model's own opset to <see cref="Newest"/>.</param>
    /// <exception cref="ArgumentException">The model has no graph, or imports no standard operators.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The opset is lower than the model's own, or too high.</exception>
    /// <exception cref="ModelFormatException"><see cref="ModelFormatError.UnsupportedOperator"/>: a node has no faithful form in the higher opset.</exception>
    public static Model Convert(Model model, long opset)
    {
        ArgumentNullException.ThrowIfNull(model);
        var program = model.Program ?? throw new ArgumentException("The model has no graph.", nameof(model));
        if (program.Opset < Oldest)
        {
            throw new ArgumentException($"The model imports opset {program.Opset} of the standard operators; {Oldest} and above are converted.", nameof(model));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(opset, program.Opset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(opset, Newest);
        var converted = new ProgramConversion(program, opset).Convert();
        return new Model(model.Format, OnnxReader.AllTensors(converted), converted, model.Metadata, [])
        {
            UsedParts = model.UsedParts,
            Findings = model.Findings,
        };
    }

    /// <summary>The first version of the intermediate representation whose files may import an opset.</summary>
    /// <remarks><see href="https://onnx.ai/onnx/repo-docs/Versioning.html#released-versions"/>.</remarks>
    /// <param name="opset">7 … 25.</param>
    public static long IrVersionOf(long opset) => opset switch
    {
        <= 8 => 3,
        9 => 4,
        10 => 5,
        11 => 6,
        <= 14 => 7,
        <= 18 => 8,
        <= 20 => 9,
        <= 22 => 10,
        23 => 11,
        24 => 12,
        _ => 13,
    };
}
