namespace Condense.Service.Uploads;

/// <summary>One request's right to write to an upload: it ends when another request takes the next one.</summary>
/// <param name="Id">The upload.</param>
/// <param name="BlobId">The blob that grows.</param>
/// <param name="Length">Bytes of the whole.</param>
/// <param name="Offset">Bytes that are durable, as it begins.</param>
/// <param name="Token">The fencing token.</param>
internal sealed record UploadTurn(string Id, string BlobId, long Length, long Offset, int Token);
