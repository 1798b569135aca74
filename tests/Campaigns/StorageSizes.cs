namespace Condense.Campaigns;

/// <summary>How much a storage campaign moves.</summary>
/// <param name="Mebibytes">Of the large file.</param>
/// <param name="Jobs">That are submitted.</param>
/// <param name="Rows">Of the table that lists are read from, besides.</param>
internal sealed record StorageSizes(long Mebibytes, int Jobs, int Rows);
