namespace Condense.Models;

/// <summary>What a reader accepts. Sizes from a file are checked against these, and against the file's length, before anything is allocated.</summary>
public sealed record ReadLimits
{
    /// <summary>The limits that apply unless others are given.</summary>
    public static ReadLimits Default { get; } = new();

    /// <summary>Bytes of a safetensors header or index. Default 100,000,000, as in the reference implementation.</summary>
    public long HeaderBytes { get; init; } = 100_000_000;

    /// <summary>Tensors, nodes, values or attributes in a file, each. Default 1,000,000.</summary>
    public int Items { get; init; } = 1_000_000;

    /// <summary>Bytes of a name. Default 65,536.</summary>
    public int NameBytes { get; init; } = 65_536;

    /// <summary>Nested messages. Default 100.</summary>
    public int Depth { get; init; } = 100;

    /// <summary>
    /// Bytes of structure in memory, everything that is not tensor data: nodes, names, small fields. Default 512 MiB.
    /// </summary>
    public long StructureBytes { get; init; } = 512L << 20;

    /// <summary>Bytes that one deflated entry of an archive may unpack to. Default 32 GiB. Stored entries are bounded by the file itself.</summary>
    public long UnpackedEntryBytes { get; init; } = 32L << 30;

    /// <summary>Bytes that all deflated entries of an archive together may unpack to. Default 64 GiB.</summary>
    public long UnpackedBytes { get; init; } = 64L << 30;

    /// <summary>
    /// How many times its packed bytes a deflated entry may unpack to. Default 1,032, what deflate reaches on zeros and can't pass (RFC 1951: 258 bytes
    /// from two bits), so that a checkpoint of zeros is read and an entry that declares more is a lie.
    /// </summary>
    public int UnpackedRatio { get; init; } = 1_032;
}
