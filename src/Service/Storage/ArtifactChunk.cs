namespace Condense.Service.Storage;

/// <summary>A row of the table <c>artifact_chunk</c>: a part of a blob that lies in the database. Empty where a folder holds the blobs.</summary>
internal sealed class ArtifactChunk
{
    /// <summary>The usual length of a chunk.</summary>
    public const int Bytes = 1 << 20;

    /// <summary>The blob.</summary>
    public required string BlobId { get; init; }

    /// <summary>The place of its first byte in the blob.</summary>
    public required long Offset { get; init; }

    /// <summary>Its bytes; at most <see cref="Bytes"/>, fewer at the end of what one request has brought.</summary>
    public required byte[] Data { get; init; }
}
