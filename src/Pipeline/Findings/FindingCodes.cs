namespace Condense.Pipeline.Findings;

/// <summary>The words that name findings of any format; readers have words of their own beside them.</summary>
public static class FindingCodes
{
    /// <summary>A weight holds NaN or an infinity: the model is rejected.</summary>
    public const string NonFiniteWeights = "non_finite_weights";

    /// <summary>A constant that is no weight holds NaN or an infinity, as masks do.</summary>
    public const string NonFinite = "non_finite";

    /// <summary>Tensors lie in files beside the main one.</summary>
    public const string ExternalData = "external_data";

    /// <summary>Tensors hold integer codes of weights.</summary>
    public const string AlreadyQuantized = "already_quantized";

    /// <summary>Layers are structures of an earlier compression.</summary>
    public const string AlreadyCompressed = "already_compressed";

    /// <summary>The same numbers are stored more than once, or one tensor is used as table and projection.</summary>
    public const string TiedWeights = "tied_weights";

    /// <summary>Elements of a type that few models have.</summary>
    public const string UnusualDType = "unusual_dtype";

    /// <summary>Integer constants are a large share of the file.</summary>
    public const string LargeIntegerConstants = "large_integer_constants";

    /// <summary>Constants that no node uses.</summary>
    public const string UnusedInitializers = "unused_initializers";

    /// <summary>The operator set limits what a weight can become.</summary>
    public const string OldOpset = "old_opset";

    /// <summary>No method applies to any weight.</summary>
    public const string NothingCompressible = "nothing_compressible";
}
