namespace Condense.Service.Storage;

/// <summary>A row of the table <c>artifact</c>: immutable bytes in the store, named by their digest.</summary>
internal sealed class Artifact
{
    /// <summary>SHA-256, lower-case hex; the key and the file's name.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Length in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>When it was stored, UTC.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
