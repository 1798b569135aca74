using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Hosting;

/// <summary>Part of a list, newest first.</summary>
/// <typeparam name="T">What is listed.</typeparam>
internal sealed record Page<T>
{
    /// <summary>The items of this page.</summary>
    public required IReadOnlyList<T> Data { get; init; }

    /// <summary>What to pass as `cursor` for the next page; absent on the last.</summary>
    public string? NextCursor { get; init; }
}

/// <summary>Cuts lists into pages. A cursor is the last id of a page; ids are in the order of creation, so pages stay stable while rows are added.</summary>
internal static class Page
{
    /// <summary>The most items of a page.</summary>
    public const int MaxLimit = 100;

    /// <summary>The items of a page unless asked otherwise.</summary>
    public const int DefaultLimit = 20;

    private const int MaxCursor = 64;

    /// <summary>Reads one page and announces the next in the <c>Link</c> header (RFC 8288).</summary>
    /// <param name="rows">The rows before <paramref name="cursor"/>, newest first, given the last id of the previous page or null.</param>
    /// <param name="limit">What the client asked for.</param>
    /// <param name="cursor">What the client passed.</param>
    /// <param name="id">The id of a row.</param>
    /// <param name="convert">Makes the document of a row.</param>
    /// <param name="http">The request.</param>
    public static async Task<Page<TDocument>> ReadAsync<TRow, TDocument>(
        Func<string?, IQueryable<TRow>> rows, int? limit, string? cursor, Func<TRow, string> id, Func<TRow, TDocument> convert, HttpContext http)
    {
        int size = limit ?? DefaultLimit;
        if (size is < 1 or > MaxLimit)
        {
            throw ProblemException.Field("?limit", $"The limit {size.ToString(CultureInfo.InvariantCulture)} must lie between 1 and {MaxLimit}.");
        }

        var found = await rows(Decode(cursor)).Take(size + 1).ToListAsync(http.RequestAborted);
        if (found.Count <= size)
        {
            return new Page<TDocument> { Data = [.. found.Select(convert)] };
        }

        found.RemoveAt(size);
        string next = Base64Url.EncodeToString(Encoding.ASCII.GetBytes(id(found[^1])));
        var others = http.Request.Query.Where(pair => !string.Equals(pair.Key, "cursor", StringComparison.OrdinalIgnoreCase));
        http.Response.Headers.Link = $"<{http.Request.Path}{QueryString.Create(others).Add("cursor", next)}>; rel=\"next\"";
        return new Page<TDocument> { Data = [.. found.Select(convert)], NextCursor = next };
    }

    private static string? Decode(string? cursor)
    {
        if (cursor is null)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[MaxCursor];
        return cursor.Length <= MaxCursor && Base64Url.IsValid(cursor) && Base64Url.TryDecodeFromChars(cursor, bytes, out int length)
            && Encoding.ASCII.GetString(bytes[..length]) is var id && IdSource.IsId(id)
            ? id
            : throw ProblemException.Field("?cursor", "This is not a cursor that a page has given. Take nextCursor as it stands.");
    }
}
