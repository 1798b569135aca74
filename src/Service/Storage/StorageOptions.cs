using System.ComponentModel.DataAnnotations;

namespace Condense.Service.Storage;

/// <summary>Where the service keeps everything.</summary>
internal sealed record StorageOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Storage";

    /// <summary>The data folder; made at start. Default: <c>data</c> in the working folder.</summary>
    [Required]
    public string Folder { get; init; } = "data";
}
