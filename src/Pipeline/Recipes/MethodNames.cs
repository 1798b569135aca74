namespace Condense.Pipeline.Recipes;

/// <summary>The words that name methods.</summary>
public static class MethodNames
{
    /// <summary>The layer stays as it is. Not a method: the word that reports use.</summary>
    public const string Keep = "keep";

    /// <summary>Rounding to IEEE binary16.</summary>
    public const string Float16 = "float16";

    /// <summary>Low rank block by block, rows grouped by token frequency.</summary>
    public const string GroupReduce = "group-reduce";

    /// <summary>Truncated, row-weighted singular value decomposition.</summary>
    public const string LowRank = "low-rank";

    /// <summary>Leading rows in a wider format than the others.</summary>
    public const string Mixed = "mixed";

    /// <summary>Rounding to the nearest of integer codes.</summary>
    public const string Quantize = "quantize";
}
