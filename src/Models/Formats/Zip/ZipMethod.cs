namespace Condense.Models.Formats.Zip;

/// <summary>How an entry's bytes are kept, by the number that headers carry (APPNOTE 4.4.5). Others are not read.</summary>
internal enum ZipMethod
{
    /// <summary>As they are.</summary>
    Stored = 0,

    /// <summary>Deflate, RFC 1951.</summary>
    Deflated = 8,
}
