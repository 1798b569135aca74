using System.Buffers.Binary;
using System.Text;
using Condense.Models.Tests.Formats.Safetensors;
using Xunit;

namespace Condense.Models.Tests.Formats.PyTorch;

/// <summary>What PyTorch 1.13 can't write for the samples, what breaks the format's laws, and what would cost too much.</summary>
public sealed class PyTorchReaderTests
{
    private static readonly byte[] s_floats = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40];

    private static readonly Dictionary<string, Action<PickleBytes>> s_broken = new(StringComparer.Ordinal)
    {
        ["an unknown instruction"] = pickle => pickle.Op('\x99'),
        ["an empty stack"] = pickle => pickle.Op('0').Op('0').Op('0').Op('0'),
        ["nothing above the mark"] = pickle => pickle.Ops("(a"),
        ["no mark"] = pickle => pickle.Ops("Ntt"),
        ["a memo that is not set"] = pickle => pickle.Op('h', 77),
        ["a memo number that is none"] = pickle => pickle.Op('g', "x\n"u8),
        ["an append to a number"] = pickle => pickle.Int(1).Ops("Na"),
        ["an append to a tuple"] = pickle => pickle.Ops(")Na"),
        ["members for a list"] = pickle => pickle.Ops("](N\x90"),
        ["an entry for a list"] = pickle => pickle.Ops("]NNs"),
        ["a key without a value"] = pickle => pickle.Ops("}(Nu"),
        ["a dictionary with a key without a value"] = pickle => pickle.Ops("(Nd"),
        ["an integer that is none"] = pickle => pickle.Op('I', "12x\n"u8),
        ["a float that is none"] = pickle => pickle.Op('F', "12x\n"u8),
        ["text that is no UTF-8"] = pickle => pickle.Sized('X', [0xC3, 0x28]),
        ["text without quotes"] = pickle => pickle.Op('S', "abc\n"u8),
        ["text with a broken escape"] = pickle => pickle.Op('S', "'\\x1'\n"u8),
        ["unicode with a broken escape"] = pickle => pickle.Op('V', "\\u12\n"u8),
        ["a string of negative length"] = pickle => pickle.Op('T', 0xFF, 0xFF, 0xFF, 0xFF),
        ["a call without a tuple"] = pickle => pickle.Global("torch", "Size").Ops("NR"),
        ["a tensor without arguments"] = pickle => pickle.Global("torch._utils", "_rebuild_tensor_v2").Ops(")R"),
        ["a tensor without a storage"] = pickle => pickle.Global("torch._utils", "_rebuild_tensor").Ops("(N").Int(0).Ints(1).Ints(1).Ops("tR"),
        ["as many sizes as no strides"] = pickle => pickle.Global("torch._utils", "_rebuild_tensor").Op('(').Storage("FloatStorage", "0", 2).Int(0).Ints(1, 1).Ints(1).Ops("tR"),
        ["sizes that are no numbers"] = pickle => pickle.Global("torch._utils", "_rebuild_tensor").Op('(').Storage("FloatStorage", "0", 2).Int(0).Ops("(Nt").Ints(1).Ops("tR"),
        ["a tensor of sixty-five dimensions"] = pickle => pickle.Tensor("FloatStorage", "0", 2, 0, [.. Enumerable.Repeat(1L, 65)], [.. Enumerable.Repeat(1L, 65)]),
        ["a persistent id that is no tuple"] = pickle => pickle.Text("0").Op('Q'),
        ["a persistent id as text"] = pickle => pickle.Op('P', "0\n"u8),
        ["a storage without a class"] = pickle => pickle.Op('(').Text("storage").Text("FloatStorage").Text("0").Text("cpu").Int(2).Ops("tQ"),
        ["a storage of fewer than no elements"] = pickle => pickle.Storage("FloatStorage", "9", -1),
        ["a storage that is another at its next mention"] = pickle => pickle.Storage("FloatStorage", "0", 2).Storage("FloatStorage", "0", 1),
        ["a storage that is of another type at its next mention"] = pickle => pickle.Storage("FloatStorage", "0", 2).Storage("IntStorage", "0", 2),
        ["an ordered dictionary of a number"] = pickle => pickle.Global("collections", "OrderedDict").Op('(').Int(1).Ops("tR"),
        ["Latin-1 that is none"] = pickle => pickle.Global("_codecs", "encode").Op('(').Text("空").Text("latin1").Ops("tR"),
        ["another encoding"] = pickle => pickle.Global("_codecs", "encode").Op('(').Text("a").Text("utf-16").Ops("tR"),
    };

    public static TheoryData<string> BrokenPickles { get; } = [.. s_broken.Keys];

    [Theory]
    [MemberData(nameof(BrokenPickles))]
    public void A_pickle_that_breaks_its_laws_is_refused_with_its_place(string what)
    {
        byte[] pickle = PickleBytes.Dictionary(("a", tensor => tensor.Floats("0", 2)), ("b", s_broken[what]));
        using var folder = new TemporaryFolder();
        foreach (byte[] file in new[] { CheckpointBytes.Zip(pickle, ("0", s_floats)), CheckpointBytes.Legacy(pickle, ("0", 2, s_floats)) })
        {
            var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, file));
            Assert.True(refusal.Code == ModelFormatError.InvalidPickle, $"{what}: {refusal.Code}, {refusal.Message}");
            Assert.InRange(refusal.Offset!.Value, 1, file.Length);
        }
    }

    [Theory]
    [InlineData("FloatStorage", 2, 1, new long[] { 2 }, new long[] { 1 }, ModelFormatError.InvalidOffset)]
    [InlineData("FloatStorage", 2, 0, new long[] { 2, 2 }, new long[] { 1, 1 }, ModelFormatError.InvalidOffset)]
    [InlineData("FloatStorage", 2, 0, new long[] { 2 }, new long[] { long.MaxValue }, ModelFormatError.InvalidOffset)]
    [InlineData("FloatStorage", 2, long.MaxValue, new long[] { 1 }, new long[] { 1 }, ModelFormatError.InvalidOffset)]
    [InlineData("FloatStorage", 2, 0, new long[] { long.MaxValue, long.MaxValue }, new long[] { long.MaxValue, long.MaxValue }, ModelFormatError.ValidationOverflow)]
    [InlineData("FloatStorage", 2, 0, new long[] { long.MaxValue }, new long[] { 0 }, ModelFormatError.ValidationOverflow)]
    [InlineData("FloatStorage", 2, -1, new long[] { 1 }, new long[] { 1 }, ModelFormatError.TensorInvalidInfo)]
    [InlineData("FloatStorage", 2, 0, new long[] { -1 }, new long[] { 1 }, ModelFormatError.TensorInvalidInfo)]
    [InlineData("FloatStorage", 2, 1, new long[] { 2 }, new long[] { -1 }, ModelFormatError.TensorInvalidInfo)]
    [InlineData("FloatStorage", 2, 0, new long[] { 1 << 20, 1 << 10 }, new long[] { 0, 0 }, ModelFormatError.ArchiveBomb)]
    [InlineData("QInt8Storage", 8, 0, new long[] { 8 }, new long[] { 1 }, ModelFormatError.UnsupportedFormat)]
    [InlineData("FloatStorage", 3, 0, new long[] { 2 }, new long[] { 1 }, null)]
    public void A_tensor_that_its_storage_does_not_hold_is_refused_by_name(
        string type, long count, long first, long[] sizes, long[] strides, ModelFormatError? code)
    {
        byte[] pickle = PickleBytes.Dictionary(("layer.weight", tensor => tensor.Tensor(type, "0", count, first, sizes, strides)));
        using var folder = new TemporaryFolder();

        var zip = Assert.Throws<ModelFormatException>(() => Open(folder, CheckpointBytes.Zip(pickle, ("0", s_floats))));
        var legacy = Assert.Throws<ModelFormatException>(() => Open(folder, CheckpointBytes.Legacy(pickle, ("0", count, s_floats))));

        // A storage that is shorter than the pickle says is noticed before its tensors.
        Assert.Equal(code ?? ModelFormatError.TensorInvalidInfo, zip.Code);
        Assert.Equal(code ?? ModelFormatError.Truncated, legacy.Code);
        Assert.Equal(code is null ? null : "layer.weight", zip.Tensor);
    }

    [Fact]
    public void Types_of_newer_versions_are_read_from_untyped_storages()
    {
        byte[] pickle = PickleBytes.Dictionary(
            ("f8", write => Third(write, "float8_e4m3fn", 0, 3)),
            ("u16", write => Third(write, "uint16", 1, 2)),
            ("f32", write => Third(write, "float32", 1, 1)),
            ("u64", write => Third(write, "uint64", 0, 1)));
        using var folder = new TemporaryFolder();

        using var model = Open(folder, CheckpointBytes.Zip(pickle, ("0", [1, 2, 3, 4, 5, 6, 7, 8])));

        Assert.Equal(
            ["f8 F8E4M3 010203", "u16 U16 03040506", "f32 F32 05060708", "u64 U64 0102030405060708"],
            model.Tensors.Select(tensor => $"{tensor.Name} {tensor.DType} {Convert.ToHexString(SafetensorsBytes.BytesOf(tensor))}"));

        static void Third(PickleBytes pickle, string type, long first, long count) =>
            pickle.Global("torch._utils", "_rebuild_tensor_v3").Op('(')
                .Op('(').Text("storage").Global("torch.storage", "UntypedStorage").Text("0").Text("cpu").Int(8).Ops("tQ")
                .Int(first).Ints(count).Ints(1).Ops("\x89N").Global("torch", type).Ops("tR");
    }

    [Fact]
    public void Tensors_with_attributes_and_of_subclasses_are_tensors()
    {
        byte[] pickle = PickleBytes.Dictionary(("a", write => write
            .Global("torch._tensor", "_rebuild_from_type_v2").Op('(')
            .Global("torch._utils", "_rebuild_parameter_with_state").Global("torch.nn.parameter", "Parameter")
            .Op('(').Floats("0", 2).Ops("\x88N}tNtR")));
        using var folder = new TemporaryFolder();
        using var model = Open(folder, CheckpointBytes.Zip(pickle, ("0", s_floats)));
        Assert.Equal(s_floats, SafetensorsBytes.BytesOf(Assert.Single(model.Tensors)));
    }

    [Fact]
    public void Names_that_python_2_wrote_are_names()
    {
        byte[] pickle = new PickleBytes().Protocol().Ops("}(").Op('U', 1, (byte)'a').Floats("0", 2).Sized('T', "b"u8).Floats("0", 2).Op('S', "'c\\x41\\n'\n"u8).Floats("0", 2).Ops("u.").ToArray();
        using var folder = new TemporaryFolder();
        using var model = Open(folder, CheckpointBytes.Zip(pickle, ("0", s_floats)));
        Assert.Equal(["a", "b", "cA\n"], model.Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void Dictionaries_made_of_pairs_keep_their_order()
    {
        byte[] pickle = new PickleBytes().Protocol().Global("collections", "OrderedDict").Ops("(](")
            .Op('(').Text("z").Floats("0", 2).Op('l').Op('(').Text("a").Floats("0", 2).Op('t').Op('e')
            .Ops("tR").Text("m").Floats("0", 2).Ops("s.").ToArray();
        using var folder = new TemporaryFolder();
        using var model = Open(folder, CheckpointBytes.Zip(pickle, ("0", s_floats)));
        Assert.Equal(["z", "a", "m"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Contains("'z', 'a', 'm' are one tensor", Assert.Single(model.Findings, finding => finding.Code == "tied_weights").Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_view_of_a_storage_of_the_older_container_is_its_part()
    {
        byte[] pickle = PickleBytes.Dictionary(("a", View(1, 1)), ("b", tensor => tensor.Floats("0", 2)));
        using var folder = new TemporaryFolder();
        using (var model = Open(folder, CheckpointBytes.Legacy(pickle, ("0", 2, s_floats))))
        {
            Assert.Equal(s_floats[4..], SafetensorsBytes.BytesOf(model.Tensors[0]));
        }

        // A part may not pass the storage, nor a tensor the part.
        Assert.Equal(ModelFormatError.InvalidOffset, Refuse(folder, CheckpointBytes.Legacy(PickleBytes.Dictionary(("a", View(1, 2))), ("0", 2, s_floats))));
        Assert.Equal(ModelFormatError.InvalidOffset, Refuse(folder, CheckpointBytes.Legacy(PickleBytes.Dictionary(("a", View(0, 0))), ("0", 2, s_floats))));

        static Action<PickleBytes> View(long first, long count) => write => write
            .Global("torch._utils", "_rebuild_tensor").Op('(').Op('(').Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Int(2)
            .Op('(').Text("1").Int(first).Int(count).Ops("ttQ").Int(0).Ints(1).Ints(1).Ops("tR");
    }

    [Theory]
    [InlineData("_rebuild_sparse_tensor", "to_dense")]
    [InlineData("_rebuild_sparse_csr_tensor", "to_dense")]
    [InlineData("_rebuild_qtensor", "dequantize")]
    [InlineData("_rebuild_meta_tensor_no_storage", "meta")]
    public void Kinds_of_tensors_that_are_not_read_are_refused_by_name_with_the_cure(string function, string cure)
    {
        byte[] pickle = PickleBytes.Dictionary(("layer.weight", write => write.Global("torch._utils", function).Ops("(NNtR")));
        using var folder = new TemporaryFolder();
        var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, CheckpointBytes.Zip(pickle)));
        Assert.Equal((ModelFormatError.UnsupportedFormat, "layer.weight"), (refusal.Code, refusal.Tensor));
        Assert.Contains(cure, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_conjugate_view_is_not_taken_for_its_numbers()
    {
        byte[] pickle = PickleBytes.Dictionary(("z", write => write.Global("torch._utils", "_rebuild_tensor_v2").Op('(')
            .Storage("ComplexFloatStorage", "0", 1).Int(0).Ints(1).Ints(1).Ops("\x89N}").Text("conj").Ops("\x88stR")));
        using var folder = new TemporaryFolder();
        Assert.Equal(ModelFormatError.UnsupportedFormat, Refuse(folder, CheckpointBytes.Zip(pickle, ("0", s_floats))));
    }

    [Fact]
    public void Metadata_of_a_handful_of_entries_is_read_and_more_is_refused()
    {
        // Each call walks the metadata, and the memo gives one dictionary to a hundred thousand calls.
        using var folder = new TemporaryFolder();
        using (var model = Open(folder, CheckpointBytes.Zip(With(16), ("0", s_floats))))
        {
            Assert.Equal(s_floats, SafetensorsBytes.BytesOf(Assert.Single(model.Tensors)));
        }

        byte[] file = CheckpointBytes.Zip(With(17), ("0", s_floats));
        var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, file).Dispose());
        Assert.Equal(ModelFormatError.InvalidPickle, refusal.Code);
        Assert.Equal((byte)'R', file[refusal.Offset!.Value]);
        Assert.Contains("17 entries of metadata", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("torch.save", refusal.Message, StringComparison.Ordinal);

        static byte[] With(int entries) => PickleBytes.Dictionary(("a", write => write
            .Global("torch._utils", "_rebuild_tensor_v2").Op('(').Storage("FloatStorage", "0", 2).Int(0).Ints(2).Ints(1).Ops("\x89N(")
            .Text("conj").Ops("\x89").Text("neg").Ops("\x89").Ops(string.Concat(Enumerable.Repeat("NN", entries - 2))).Ops("dtR")));
    }

    [Fact]
    public void A_chain_of_dictionaries_is_counted_under_each_path()
    {
        // Fifty dictionaries made of each other, none with an entry, at 30,000 places: a million and a half steps from 60 kB.
        var pickle = new PickleBytes().Protocol().Global("collections", "OrderedDict").Op('q', 0).Ops("0}").Op('q', 1).Op('0');
        for (byte i = 1; i < 50; i++)
        {
            pickle.Op('h', 0).Op('h', i).Ops("\x85R").Op('q', (byte)(i + 1)).Op('0');
        }

        using var folder = new TemporaryFolder();
        byte[] bomb = Repeat(pickle.Op('(').ToArray(), "h\x32", 30_000, "t.");
        Assert.Equal(ModelFormatError.LimitExceeded, Refuse(folder, CheckpointBytes.Zip(bomb)));
    }

    [Fact]
    public void What_has_no_counterpart_is_refused_by_type()
    {
        byte[] pickle = PickleBytes.Dictionary(("z", write => write.Global("torch._utils", "_rebuild_tensor_v3").Op('(')
            .Op('(').Text("storage").Global("torch.storage", "UntypedStorage").Text("0").Text("cpu").Int(8).Ops("tQ")
            .Int(0).Ints(1).Ints(1).Ops("\x89N").Global("torch", "complex32").Ops("tR")));
        using var folder = new TemporaryFolder();
        Assert.Equal(ModelFormatError.UnknownDType, Refuse(folder, CheckpointBytes.Zip(pickle, ("0", s_floats))));
    }

    [Fact]
    public void A_key_of_a_storage_that_is_too_long_is_refused_at_its_mention()
    {
        using var folder = new TemporaryFolder();
        string key = new('k', 256);
        Open(folder, CheckpointBytes.Zip(PickleBytes.Dictionary(("a", write => write.Floats(key, 2))), (key, s_floats))).Dispose();

        key += 'k';
        byte[] pickle = PickleBytes.Dictionary(("a", write => write.Floats(key, 2)));
        foreach (byte[] file in new[] { CheckpointBytes.Zip(pickle, (key, s_floats)), CheckpointBytes.Legacy(pickle, (key, 2, s_floats)) })
        {
            var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, file).Dispose());
            Assert.Equal(ModelFormatError.LimitExceeded, refusal.Code);
            Assert.Equal((byte)'Q', file[refusal.Offset!.Value]);
            Assert.Contains("torch.save", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_tensors_of_one_path_are_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] twice = PickleBytes.Dictionary(("a", tensor => tensor.Floats("0", 2)), ("a", tensor => tensor.Floats("0", 2)));
        byte[] nested = PickleBytes.Dictionary(("a.b", tensor => tensor.Floats("0", 2)), ("a", write => write.Ops("}").Text("b").Floats("0", 2).Op('s')));
        Assert.Equal(ModelFormatError.DuplicateName, Refuse(folder, CheckpointBytes.Zip(twice, ("0", s_floats))));
        Assert.Equal(ModelFormatError.DuplicateName, Refuse(folder, CheckpointBytes.Zip(nested, ("0", s_floats))));
    }

    [Fact]
    public void Containers_that_contradict_themselves_are_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", tensor => tensor.Floats("0", 2)));
        byte[] zip = CheckpointBytes.Zip(pickle, ("0", s_floats));
        byte[] legacy = CheckpointBytes.Legacy(pickle, ("0", 2, s_floats));
        Open(folder, zip).Dispose();
        Open(folder, legacy).Dispose();

        Assert.Equal(ModelFormatError.InvalidArchive, Refuse(folder, CheckpointBytes.Zip(pickle)));
        Assert.Equal(ModelFormatError.TensorInvalidInfo, Refuse(folder, CheckpointBytes.Zip(pickle, ("0", [.. s_floats, 0]))));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, CheckpointBytes.Zip([.. pickle, (byte)'N'], ("0", s_floats))));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, CheckpointBytes.Legacy(pickle)));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, CheckpointBytes.Legacy(pickle, ("0", 2, s_floats), ("1", 2, s_floats))));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, CheckpointBytes.Legacy(pickle, ("0", 2, s_floats), ("0", 2, s_floats))));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, CheckpointBytes.Legacy(pickle, ("0", 1, s_floats))));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, CheckpointBytes.Legacy(pickle, ("0", -2, s_floats))));
        Assert.Equal(ModelFormatError.InvalidPickle, Refuse(folder, [.. legacy, 0]));
        for (int length = 20; length < legacy.Length; length++)
        {
            Assert.Contains(Refuse(folder, legacy[..length]), new[] { ModelFormatError.Truncated, ModelFormatError.InvalidPickle });
        }
    }

    [Fact]
    public void Notes_that_change_the_meaning_are_heeded()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", tensor => tensor.Floats("0", 2)));
        Assert.Equal(ModelFormatError.UnsupportedFormat, Refuse(folder, With("byteorder", "big")));
        Assert.Equal(ModelFormatError.UnsupportedVersion, Refuse(folder, With(".format_version", "2")));
        Open(folder, With("byteorder", "little")).Dispose();
        Open(folder, With(".format_version", "1")).Dispose();

        byte[] With(string note, string content) =>
            CheckpointBytes.Archive(("m/data.pkl", pickle), ("m/data/0", s_floats), ("m/" + note, Encoding.ASCII.GetBytes(content)));
    }

    [Fact]
    public void Entries_that_nothing_uses_are_told()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", tensor => tensor.Floats("0", 2)));
        using var model = Open(folder, CheckpointBytes.Archive(("m/data.pkl", pickle), ("m/data/0", s_floats), ("m/data/1", s_floats), ("m/extra.pkl", "cos\nsystem\n."u8.ToArray())));
        var unread = Assert.Single(model.Findings, finding => finding.Code == "unread_entries");
        Assert.Contains("2 entries of 20 bytes", unread.Detail, StringComparison.Ordinal);
        Assert.Contains("'m/data/1'", unread.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\x80\x02.")]
    [InlineData("\x80\x02}.")]
    [InlineData("\u0080\u0002](K\u0001NU\u0001ae.")]
    public void A_pickle_without_a_tensor_is_no_model(string text)
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = Encoding.Latin1.GetBytes(text);
        var code = text.Length > 3 ? ModelFormatError.UnsupportedFormat : ModelFormatError.InvalidPickle;
        Assert.Equal(code, Refuse(folder, pickle));
        Assert.Equal(code, Refuse(folder, CheckpointBytes.Zip(pickle)));
    }

    // Each is a few hundred bytes that ask for much: values doubled at every step, rows of arguments used again and again, names below long names.
    public static TheoryData<string, byte[]> Bombs { get; } = new()
    {
        { "lists of lists of lists", Doubling(Encoding.Latin1.GetBytes("](")) },
        { "ordered dictionaries of one long row", Repeat(new PickleBytes().Protocol().Global("collections", "OrderedDict").Op('q', 1).Op('0').Ops("](" + string.Concat(Enumerable.Repeat("NN\x86", 1000)) + "e\x85").Op('q', 2).Op('0').Op('(').ToArray(), "h\x01h\x02R", 20_000, "t.") },
        { "Latin-1 of one long text", Repeat(new PickleBytes().Protocol().Global("_codecs", "encode").Op('q', 1).Op('0').Op('(').Text(new string('x', 60_000)).Text("latin1").Op('t').Op('q', 2).Op('0').Op('(').ToArray(), "h\x01h\x02R", 20_000, "t.") },
        { "tensors of one row of arguments", Repeat(new PickleBytes().Protocol().Global("torch._utils", "_rebuild_tensor").Op('q', 1).Op('0').Op('(').Storage("FloatStorage", "0", 2).Int(0).Ints([.. Enumerable.Repeat(1L, 64)]).Ints([.. Enumerable.Repeat(1L, 64)]).Op('t').Op('q', 2).Op('0').Op('(').ToArray(), "h\x01h\x02R", 20_000, "t.") },
        { "names below a long name", Repeat(new PickleBytes().Protocol().Op('}').Text(new string('x', 60_000)).Op('(').Floats("0", 2).Op('q', 3).ToArray(), "h\x03", 50_000, "ts.") },
        { "a list in itself", new PickleBytes().Protocol().Op(']').Op('q', 0).Op('h', 0).Ops("a.").ToArray() },
        { "a deep nest", Repeat([0x80, 2, (byte)'N'], "\x85", 100_000, ".") },
        { "a long integer", new PickleBytes().Protocol().Sized('\x8B', new byte[5000]).Op('.').ToArray() },
        { "a long line", [.. Encoding.ASCII.GetBytes("\x80\x02".Replace('\x80', 'I') + new string('1', 100_000)), (byte)'\n', (byte)'.'] },
        { "a text of the whole address space", new PickleBytes().Protocol().Op('\x8D', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F).ToArray() },
        { "bytes of the whole address space", new PickleBytes().Protocol().Op('\x8E', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF).ToArray() },
        { "a frame of the whole address space", new PickleBytes().Protocol(4).Op('\x95', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F).ToArray() },
        { "a protocol of the future", new PickleBytes().Protocol(6).Ops("N.").ToArray() },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public void What_asks_for_more_than_it_is_costs_little(string what, byte[] pickle)
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("model", CheckpointBytes.Zip(pickle, ("0", s_floats)));
        long before = GC.GetAllocatedBytesForCurrentThread();

        var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(ModelParts.Single(path), ReadLimits.Default).Dispose());

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < (4 << 20) + (600L * pickle.Length), $"{what}: {allocated} bytes for {pickle.Length}.");
        Assert.Contains(refusal.Code, new[] { ModelFormatError.LimitExceeded, ModelFormatError.TooDeep, ModelFormatError.Truncated, ModelFormatError.UnsupportedFormat, ModelFormatError.UnsupportedVersion });
    }

    [Fact]
    public void Numbers_of_the_memo_that_fall_together_cost_no_more_than_others()
    {
        // Without a hash of its own, these would all be in one bucket of the table, and a million of them would take hours.
        var pickle = new PickleBytes().Protocol().Op('N');
        Span<byte> key = stackalloc byte[4];
        for (uint i = 0; i < 200_000; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(key, i * 20_011);
            pickle.Op('r', key);
        }

        using var folder = new TemporaryFolder();
        Assert.Equal(ModelFormatError.UnsupportedFormat, Refuse(folder, CheckpointBytes.Zip(pickle.Op('.').ToArray())));
    }

    private static byte[] Doubling(byte[] start)
    {
        // x = [x, x], forty times: a million million paths, none with a tensor.
        var pickle = new PickleBytes().Protocol().Op(']').Op('q', 0);
        for (byte i = 0; i < 40; i++)
        {
            pickle.Ops(Encoding.Latin1.GetString(start)).Op('h', i).Op('h', i).Op('e').Op('q', (byte)(i + 1));
        }

        return pickle.Op('.').ToArray();
    }

    private static byte[] Repeat(byte[] start, string again, int times, string end) =>
        [.. start, .. Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(again, times))), .. Encoding.Latin1.GetBytes(end)];

    private static ModelFormatError Refuse(TemporaryFolder folder, byte[] file) => Assert.Throws<ModelFormatException>(() => Open(folder, file).Dispose()).Code;

    private static Model Open(TemporaryFolder folder, byte[] file) => ModelReader.Open(ModelParts.Single(folder.Write("model", file)), ReadLimits.Default);
}
