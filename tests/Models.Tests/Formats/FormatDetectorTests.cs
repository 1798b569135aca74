using Condense.Models.Formats;
using Xunit;

namespace Condense.Models.Tests.Formats;

public sealed class FormatDetectorTests
{
    // Models as exporters begin them: IR version and producer; graph first; opset first; a second field cut by the end of the prefix.
    public static TheoryData<byte[], long> OnnxBeginnings { get; } = new()
    {
        { [0x08, 0x07, 0x12, 0x07, .. "pytorch"u8, 0x1A, 0x03, .. "2.1"u8, 0x3A, 0x02, 0x0A, 0x00, 0x42, 0x04, 0x0A, 0x00, 0x10, 0x0D], 0 },
        { [0x08, 0x03, 0x12, 0x00, 0x3A, 0x80, 0x80, 0x80, 0x04, 1, 2, 3], 9_000_000 },
        { [0x42, 0x02, 0x10, 0x0B, 0x3A, 0x01, 0x00, 0x08, 0x08], 0 },
        { [0x3A, 0x7F, 0x0A, 0x08], 1_000 },
        { [0x08, 0x08, 0x12, 0x01, (byte)'x', 0xA2], 1_000 },
        { [0x08, 0x0A], 0 },

        // Cut within the graph: known all the same, so that the reader can say where it ends.
        { [0x08, 0x08, 0x3A, 0xA6, 0xC5, 0x94, 0x05, 0x0A, 0x00], 0 },
    };

    [Theory]
    [MemberData(nameof(OnnxBeginnings))]
    public void An_onnx_model_is_known_by_its_fields(byte[] start, long fileLength) =>
        Assert.Equal(ModelFormat.Onnx, FormatDetector.Detect(start, fileLength == 0 ? start.Length : fileLength));

    [Theory]
    [InlineData("08")]
    [InlineData("0807A2")]
    [InlineData("0807FFFFFFFFFFFFFFFFFFFF01")]
    [InlineData("0A0107")]
    [InlineData("080712")]
    [InlineData("08074A00")]
    public void Fields_that_a_model_does_not_have_or_the_file_cuts_are_no_onnx(string hex)
    {
        byte[] start = Convert.FromHexString(hex);
        var refusal = Assert.Throws<ModelFormatException>(() => FormatDetector.Detect(start, start.Length));
        Assert.Equal(ModelFormatError.UnsupportedFormat, refusal.Code);
    }
}
