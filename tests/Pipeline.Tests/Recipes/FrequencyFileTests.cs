using System.Text;
using Condense.Pipeline.Recipes;
using Xunit;

namespace Condense.Pipeline.Tests.Recipes;

public sealed class FrequencyFileTests
{
    [Fact]
    public async Task Json_with_and_without_a_vocabulary_is_read()
    {
        var full = await ReadAsync("""{"vocab": ["the", "of"], "counts": [10, 2.5]}""");
        Assert.Equal(["the", "of"], full.Vocabulary);
        Assert.Equal([10, 2.5], full.Counts);
        Assert.Equal([1, 2, 3], (await ReadAsync("""  {"counts": [1, 2, 3]}""")).Counts);
    }

    [Fact]
    public async Task Two_columns_are_read_in_order_and_a_token_may_hold_spaces()
    {
        var read = await ReadAsync("the\t10\r\nnew york\t3\n\nzero\t0\n");
        Assert.Equal(["the", "new york", "zero"], read.Vocabulary);
        Assert.Equal([10, 3, 0], read.Counts);
    }

    [Theory]
    [InlineData("""{"counts": [1, -2]}""", "/counts/1")]
    [InlineData("""{"counts": []}""", "/counts")]
    [InlineData("""{"vocab": ["a"], "counts": [1, 2]}""", "/vocab")]
    [InlineData("""{"counts": ["many"]}""", "/counts[0]")]
    [InlineData("""{"counts": [1,""", "/counts[1]")]
    [InlineData("a\t1\nb two\n", "/lines/2")]
    [InlineData("a\tNaN\n", "/lines/1")]
    [InlineData("a\t-1\n", "/lines/1")]
    [InlineData("", "/")]
    public async Task What_can_not_be_used_is_refused_with_its_place(string text, string pointer)
    {
        var exception = await Assert.ThrowsAsync<RecipeException>(() => ReadAsync(text));
        Assert.Equal("invalid_field", exception.Code);
        Assert.Equal(pointer, exception.Problems.Single().Pointer);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_refused()
    {
        using var stream = new MemoryStream([0xff, 0xfe, 0xfd, 0x80, 0x80]);
        await Assert.ThrowsAsync<RecipeException>(() => FrequencyFile.ReadAsync(stream, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_text_is_counted_by_the_rows_of_its_vocabulary()
    {
        using var text = new StringReader("the whale the sea\nthe end\n");
        var counted = await FrequencyFile.CountAsync(["<unk>", "the", "whale", "<eos>"], text, TestContext.Current.CancellationToken);
        Assert.Equal([2, 3, 1, 2], counted.Counts);
    }

    [Fact]
    public async Task A_list_of_counts_and_columns_apart_by_spaces_are_read()
    {
        Assert.Equal([3, 1.5], (await ReadAsync("[3, 1.5]")).Counts);
        Assert.Equal(["the", "of"], (await ReadAsync("the 10\nof 2\n")).Vocabulary);
    }

    [Theory]
    [InlineData("the\t10\nof\t2\n", true)]
    [InlineData("the 10\n\nof 2", true)]
    [InlineData("""{"counts": [1]}""", true)]
    [InlineData("call me ishmael\nsome years ago 3\n", false)]
    [InlineData("the 10\nof the 2\n", false)]
    [InlineData("", false)]
    public void Counts_are_told_from_a_text(string text, bool counts) => Assert.Equal(counts, FrequencyFile.LooksLikeCounts(text));

    [Fact]
    public async Task Counts_are_put_in_the_order_of_a_vocabulary()
    {
        var read = await ReadAsync("sea\t3\nthe\t10\nharpoon\t4\n");
        Assert.Equal([10, 0, 3, 4], read.InOrderOf(["the", "whale", "sea", "<unk>"]).Counts);
        Assert.Equal([10, 0, 3], read.InOrderOf(["the", "whale", "sea"]).Counts);
        Assert.Throws<RecipeException>(() => read.InOrderOf(["ship"]));
        Assert.Throws<RecipeException>(() => new FrequencyFile([], [1, 2]).InOrderOf(["a", "b", "c"]));
    }

    private static async Task<FrequencyFile> ReadAsync(string text)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await FrequencyFile.ReadAsync(stream, TestContext.Current.CancellationToken);
    }
}
