using Condense.Models.Formats.Zip;
using Xunit;

namespace Condense.Models.Tests.Formats.Zip;

/// <summary>The archives that libzip is tested with, judged as containers.</summary>
public sealed class ZipSharedDataTests
{
    [Fact]
    public void Each_of_libzips_archives_is_read_or_refused_as_its_makers_mean_it()
    {
        string folder = Expectations.Find("golden/libzip");
        string[][] lines = Expectations.Read("libzip.tsv");
        Assert.Equal(Directory.GetFiles(folder, "*.zip").Select(Path.GetFileName).Order(StringComparer.Ordinal), lines.Select(line => line[0]).Order(StringComparer.Ordinal));
        Assert.Equal(
            lines.Select(line => $"{line[0]} {line[1]} {line[2]}"),
            lines.Select(line => $"{line[0]} {Outcome(Path.Combine(folder, line[0]))}"));
    }

    // "damaged": the headers agree, and the data of an entry is not what they say.
    private static string Outcome(string path)
    {
        using var file = File.OpenHandle(path);
        ZipDirectory archive;
        try
        {
            archive = ZipDirectory.Read(file, ReadLimits.Default);
        }
        catch (ModelFormatException refusal)
        {
            return $"{refusal.Code} -";
        }

        try
        {
            foreach (var entry in archive.Entries)
            {
                archive.ReadAll(entry, 1 << 30);
            }
        }
        catch (ModelFormatException refusal)
        {
            Assert.Equal(ModelFormatError.InvalidArchive, refusal.Code);
            return $"damaged {archive.Entries.Length}";
        }

        return $"open {archive.Entries.Length}";
    }
}
