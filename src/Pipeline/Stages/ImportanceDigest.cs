using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Condense.Engine.Methods;

namespace Condense.Pipeline.Stages;

/// <summary>What is known of a weight's use, as part of a key.</summary>
internal static class ImportanceDigest
{
    /// <summary>SHA-256 of the row weights, lower-case hex; <c>none</c> without any.</summary>
    public static string Of(Importance importance) =>
        importance.RowWeights is { } weights ? Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<double>(weights.ToArray()))) : "none";
}
