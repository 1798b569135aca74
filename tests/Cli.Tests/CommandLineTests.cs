using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Xunit;

namespace Condense.Cli.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("condense-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Compress_writes_the_file_and_the_reports_that_it_prints()
    {
        string output = File("small.onnx");
        var run = await CondenseProcess.RunAsync(
            "compress", Sample("moby-dick-lstm.onnx"), "-o", output, "--ratio", "4", "--frequencies", Sample("vocab.json"), "--exponent", "0.5", "--report", File("r.json"), "--report", File("r.md"), "--json");
        Assert.Equal(("", 0), (run.Error, run.ExitCode));
        using var printed = JsonDocument.Parse(run.Output);
        using var written = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(File("r.json"), TestContext.Current.CancellationToken));
        Assert.True(JsonElement.DeepEquals(printed.RootElement, written.RootElement));
        Assert.Equal(new FileInfo(output).Length, printed.RootElement.GetProperty("bytesAfter").GetInt64());
        Assert.Equal(Digest(output), printed.RootElement.GetProperty("digestAfter").GetString());
        Assert.True(printed.RootElement.GetProperty("ratio").GetDouble() >= 4);
        Assert.StartsWith("# Compression report", await System.IO.File.ReadAllTextAsync(File("r.md"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(["r.json", "r.md", "small.onnx"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Compress_raises_the_opset_that_is_asked_for()
    {
        var run = await CondenseProcess.RunAsync("compress", Sample("moby-dick-lstm.onnx"), "-o", File("small.onnx"), "--ratio", "3", "--opset", "21", "--json");
        using var report = JsonDocument.Parse(run.Output);
        Assert.Equal((17, 21), (report.RootElement.GetProperty("opsetBefore").GetInt32(), report.RootElement.GetProperty("opsetAfter").GetInt32()));
        var inspected = await CondenseProcess.RunAsync("inspect", File("small.onnx"), "--json");
        using var document = JsonDocument.Parse(inspected.Output);
        Assert.Equal(21, document.RootElement.GetProperty("opsets").GetProperty("").GetInt32());
    }

    [Fact]
    public async Task Compare_finds_what_compress_reported()
    {
        string output = File("small.safetensors");
        var compressed = await CondenseProcess.RunAsync("compress", Sample("moby-dick-lstm.safetensors"), "-o", output, "--bits", "5", "--json");
        var compared = await CondenseProcess.RunAsync("compare", Sample("moby-dick-lstm.safetensors"), output, "--json");
        Assert.Equal(0, compared.ExitCode);
        using var report = JsonDocument.Parse(compressed.Output);
        using var comparison = JsonDocument.Parse(compared.Output);
        foreach (var layer in report.RootElement.GetProperty("layers").EnumerateArray())
        {
            string name = layer.GetProperty("name").GetString()!;
            var other = comparison.RootElement.GetProperty("layers").EnumerateArray().Single(candidate => candidate.GetProperty("name").GetString() == name);
            Assert.Equal(layer.GetProperty("relativeError").GetDouble(), other.GetProperty("relativeError").GetDouble(), 1e-6);
            Assert.Equal(layer.GetProperty("bytesAfter").GetInt64(), other.GetProperty("rightBytes").GetInt64());
        }

        Assert.Empty(comparison.RootElement.GetProperty("differentTensors").EnumerateArray());
    }

    [Fact]
    public async Task Counts_in_another_order_are_put_in_that_of_the_vocabulary()
    {
        using var known = JsonDocument.Parse(await System.IO.File.ReadAllTextAsync(Sample("vocab.json"), TestContext.Current.CancellationToken));
        string[] words = [.. known.RootElement.GetProperty("vocab").EnumerateArray().Select(word => word.GetString()!)];
        double[] counts = [.. known.RootElement.GetProperty("counts").EnumerateArray().Select(count => count.GetDouble())];
        await System.IO.File.WriteAllLinesAsync(File("counts.tsv"), words.Zip(counts, (word, count) => $"{word}\t{count}").Reverse(), TestContext.Current.CancellationToken);
        string[] common = ["compress", Sample("moby-dick-lstm.safetensors"), "--layer", """encoder*=low-rank:{"rank":8}""", "--json"];
        using var straight = JsonDocument.Parse((await CondenseProcess.RunAsync([.. common, "-o", File("a.safetensors"), "--frequencies", Sample("vocab.json")])).Output);
        using var joined = JsonDocument.Parse((await CondenseProcess.RunAsync(
            [.. common, "-o", File("b.safetensors"), "--frequencies", File("counts.tsv"), "--vocabulary", Sample("vocab.json")])).Output);
        Assert.Equal(straight.RootElement.GetProperty("digestAfter").GetString(), joined.RootElement.GetProperty("digestAfter").GetString());
    }

    [Fact]
    public async Task A_model_that_can_get_no_smaller_misses_its_target()
    {
        var first = await CondenseProcess.RunAsync("compress", Sample("moby-dick-lstm.safetensors"), "-o", File("a.safetensors"), "--layer", """*=quantize:{"codeBits":2}""");
        Assert.Equal(0, first.ExitCode);
        var second = await CondenseProcess.RunAsync("compress", File("a.safetensors"), "-o", File("b.safetensors"), "--ratio", "2");
        Assert.Equal(4, second.ExitCode);
    }

    [Fact]
    public async Task Inspect_describes_the_sample()
    {
        var run = await CondenseProcess.RunAsync("inspect", Sample("moby-dick-lstm.onnx"), "--json");
        Assert.Equal(0, run.ExitCode);
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal("onnx", document.RootElement.GetProperty("format").GetString());
        Assert.Equal(Digest(Sample("moby-dick-lstm.onnx")), document.RootElement.GetProperty("sha256").GetString());
        var roles = document.RootElement.GetProperty("layers").EnumerateArray().ToDictionary(layer => layer.GetProperty("name").GetString()!, layer => layer.GetProperty("role").GetString(), StringComparer.Ordinal);
        Assert.Equal("embedding", roles["encoder.weight"]);
        Assert.Equal("softmax", roles["decoder.weight"]);
        Assert.Equal("lstmInput", roles["rnn.weight_ih_l0"]);
        Assert.Equal("lstmRecurrent", roles["rnn.weight_hh_l0"]);
    }

    [Fact]
    public async Task Methods_lists_the_catalogue()
    {
        var run = await CondenseProcess.RunAsync("methods", "--json");
        using var document = JsonDocument.Parse(run.Output);
        Assert.Equal(["float16", "group-reduce", "low-rank", "mixed", "quantize"], document.RootElement.GetProperty("methods").EnumerateArray().Select(method => method.GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData(2, "", "compress")]
    [InlineData(2, "", "compress", "{model}", "-o", "{out}", "--ratio", "many")]
    [InlineData(2, "one target", "compress", "{model}", "-o", "{out}", "--ratio", "2", "--bits", "4")]
    [InlineData(2, "would replace", "compress", "{model}", "-o", "{model}", "--ratio", "2")]
    [InlineData(2, "is a folder", "compress", "{model}", "-o", "/", "--ratio", "2")]
    [InlineData(2, "GLOB=METHOD", "compress", "{model}", "-o", "{out}", "--layer", "encoder")]
    [InlineData(2, "not JSON", "compress", "{model}", "-o", "{out}", "--layer", "encoder.*=low-rank:{rank}")]
    [InlineData(2, ".json, a .md or a .html", "compress", "{model}", "-o", "{out}", "--ratio", "2", "--report", "r.pdf")]
    [InlineData(2, "--exponent goes with", "compress", "{model}", "-o", "{out}", "--ratio", "2", "--exponent", "1")]
    [InlineData(2, "", "shrink", "{model}")]
    [InlineData(3, "no file", "inspect", "nowhere.onnx")]
    [InlineData(3, "empty_file", "inspect", "{empty}")]
    [InlineData(3, "unsupported_format", "inspect", "{text}")]
    [InlineData(3, "", "inspect", "{cut}")]
    [InlineData(3, "Nearest: encoder.weight", "compress", "{model}", "-o", "{out}", "--layer", "encoder.wight=quantize")]
    [InlineData(3, "low-rank", "compress", "{model}", "-o", "{out}", "--ratio", "2", "--method", "lowrank")]
    [InlineData(3, "neither a target nor a layer rule", "compress", "{model}", "-o", "{out}")]
    [InlineData(3, "upwards only", "compress", "{model}", "-o", "{out}", "--ratio", "2", "--opset", "16")]
    [InlineData(4, "--ratio", "compress", "{model}", "-o", "{out}", "--ratio", "10000")]
    public async Task Bad_input_ends_with_its_code_and_a_sentence(int code, string words, params string[] arguments)
    {
        await System.IO.File.WriteAllBytesAsync(File("empty.onnx"), [], TestContext.Current.CancellationToken);
        await System.IO.File.WriteAllTextAsync(File("text.onnx"), "This is no model at all, but a text that somebody named so.", TestContext.Current.CancellationToken);
        byte[] whole = await System.IO.File.ReadAllBytesAsync(Sample("moby-dick-lstm.safetensors"), TestContext.Current.CancellationToken);
        await System.IO.File.WriteAllBytesAsync(File("cut.safetensors"), whole[..(whole.Length / 2)], TestContext.Current.CancellationToken);
        string[] filled = [.. arguments.Select(argument => argument switch
        {
            "{model}" => Sample("moby-dick-lstm.onnx"),
            "{out}" => File("out.onnx"),
            "{empty}" => File("empty.onnx"),
            "{text}" => File("text.onnx"),
            "{cut}" => File("cut.safetensors"),
            _ => argument,
        })];
        var run = await CondenseProcess.RunAsync(filled);
        Assert.Equal(code, run.ExitCode);
        Assert.NotEqual("", run.Error);
        Assert.Contains(words, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Condense", run.Error, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File("out.onnx")));
    }

    [Fact]
    public async Task All_that_is_wrong_stands_on_a_line_of_its_own()
    {
        var usage = await CondenseProcess.RunAsync(
            "compress", Sample("moby-dick-lstm.onnx"), "-o", File("out.onnx"), "--ratio", "2", "--bits", "4", "--layer", "encoder", "--threads", "0", "--report", "r.pdf");
        Assert.Equal(2, usage.ExitCode);
        Assert.Equal(4, usage.Error.TrimEnd().Split('\n').Length);
        var recipe = await CondenseProcess.RunAsync(
            "compress", Sample("moby-dick-lstm.onnx"), "-o", File("out.npz"), "--ratio", "2", "--method", "lowrank", "--layer", "encodr.*=quantize", "--keep", "decoder.wait");
        Assert.Equal(3, recipe.ExitCode);
        Assert.Equal(
            ["condense: invalid_field: there are 4 problems.", "  /output/format:", "  /methods/0:", "  /layers/0/match:", "  /keep/0:"],
            recipe.Error.TrimEnd().Split('\n').Select((line, number) => number == 0 ? line : line[..(line.IndexOf(": ", StringComparison.Ordinal) + 1)]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task Inspect_tells_findings_and_ends_with_3_when_weights_are_not_finite()
    {
        byte[] bytes = await System.IO.File.ReadAllBytesAsync(Sample("moby-dick-lstm.safetensors"), TestContext.Current.CancellationToken);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), float.NaN);
        await System.IO.File.WriteAllBytesAsync(File("nan.safetensors"), bytes, TestContext.Current.CancellationToken);
        var text = await CondenseProcess.RunAsync("inspect", File("nan.safetensors"));
        Assert.Equal(3, text.ExitCode);
        Assert.Contains("finding non_finite_weights: Tensor ", text.Output, StringComparison.Ordinal);
        Assert.Contains("condense: non_finite_weights", text.Error, StringComparison.Ordinal);
        var json = await CondenseProcess.RunAsync("inspect", File("nan.safetensors"), "--json");
        Assert.Equal(3, json.ExitCode);
        using var document = JsonDocument.Parse(json.Output);
        Assert.True(document.RootElement.GetProperty("rejected").GetBoolean());
        Assert.Equal("non_finite_weights", document.RootElement.GetProperty("findings")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task The_nearest_target_that_is_offered_works()
    {
        var refused = await CondenseProcess.RunAsync("compress", Sample("moby-dick-lstm.onnx"), "-o", File("out.onnx"), "--ratio", "10000");
        string nearest = refused.Error[(refused.Error.LastIndexOf("--ratio ", StringComparison.Ordinal) + "--ratio ".Length)..].TrimEnd().TrimEnd('.');
        var run = await CondenseProcess.RunAsync("compress", Sample("moby-dick-lstm.onnx"), "-o", File("out.onnx"), "--ratio", nearest);
        Assert.Equal(("", 0), (run.Error, run.ExitCode));
    }

    [Fact]
    public async Task An_interrupt_ends_with_130_and_leaves_nothing()
    {
        using var process = CondenseProcess.Start("compress", Sample("moby-dick-lstm.onnx"), "-o", File("out.onnx"), "--ratio", "8");
        while (!Directory.Exists(File(".out.onnx.condense-work")) && !process.HasExited)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, Kill(process.Id, Interrupt));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(130, process.ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    private const int Interrupt = 2;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private static string Digest(string path) => Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(path)));

    private static string Sample(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Service.sln")))
            {
                return Path.Combine(folder.FullName, "samples", name);
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Service.sln.");
    }

    private string File(string name) => Path.Combine(_folder, name);
}
