using System.Buffers.Binary;
using System.Text;
using Condense.Models.Formats.PyTorch;
using Condense.Models.Tests.Formats.Safetensors;
using Condense.Models.Tests.Formats.Zip;
using Xunit;

namespace Condense.Models.Tests.Formats.PyTorch;

/// <summary>Pickles and archives that attack whoever loads them, one for each way that is published. Each ends in a refusal with its code and place.</summary>
public sealed class UnsafePickleTests
{
    private static readonly byte[] s_floats = new byte[8];

    // What stands where in a file does not matter: a harmless tensor around it changes nothing.
    public static TheoryData<string, byte[], string> Instructions { get; } = new()
    {
        { "a function by name", new PickleBytes().Global("posix", "system").Op('(').Text("true").Ops("tR").ToArray(), "GLOBAL" },
        { "a function of Python 2", new PickleBytes().Global("__builtin__", "eval").ToArray(), "GLOBAL" },
        { "a function that is never called", new PickleBytes().Global("os", "system").Op('0').ToArray(), "GLOBAL" },
        { "names on the stack", new PickleBytes().Text("os").Text("system").Op('\x93').ToArray(), "STACK_GLOBAL" },
        { "names from the memo", new PickleBytes().Text("os").Op('q', 9).Op('0').Text("system").Op('q', 7).Op('0').Op('h', 9).Op('h', 7).Op('\x93').ToArray(), "STACK_GLOBAL" },
        { "names that are no text", new PickleBytes().Int(1).Text("system").Op('\x93').ToArray(), "STACK_GLOBAL" },
        { "a dotted name", new PickleBytes().Text("torch").Text("serialization.os.system").Op('\x93').ToArray(), "STACK_GLOBAL" },
        { "a dotted name below a harmless one", new PickleBytes().Global("collections", "OrderedDict.__reduce__").ToArray(), "GLOBAL" },
        { "an object of a class", new PickleBytes().Op('(').Text("raise").Op('i', "builtins\nexec\n"u8).ToArray(), "INST" },
        { "an object of a class on the stack", new PickleBytes().Ops("(NNo").ToArray(), "OBJ" },
        { "an object by NEWOBJ", new PickleBytes().Global("collections", "OrderedDict").Ops(")\x81").ToArray(), "NEWOBJ" },
        { "an object by NEWOBJ_EX", new PickleBytes().Global("collections", "OrderedDict").Ops(")}\x92").ToArray(), "NEWOBJ_EX" },
        { "a call of a value", new PickleBytes().Text("print").Ops(")R").ToArray(), "REDUCE" },
        { "a call of a storage's class", new PickleBytes().Global("torch", "FloatStorage").Ops(")R").ToArray(), "REDUCE" },
        { "a state for a tensor", new PickleBytes().Floats("0", 2).Ops("}b").ToArray(), "BUILD" },
        { "a state for a list", new PickleBytes().Ops("]}b").ToArray(), "BUILD" },
        { "a registered extension", new PickleBytes().Op('\x82', 1).ToArray(), "EXT1" },
        { "a registered extension of two bytes", new PickleBytes().Op('\x83', 1, 0).ToArray(), "EXT2" },
        { "a registered extension of four bytes", new PickleBytes().Op('\x84', 1, 0, 0, 0).ToArray(), "EXT4" },
        { "a buffer from outside", new PickleBytes().Op('\x97').ToArray(), "NEXT_BUFFER" },
        { "a buffer made read-only", new PickleBytes().Op('\x98').ToArray(), "READONLY_BUFFER" },
        { "a pickle in a pickle, by PyTorch", new PickleBytes().Global("torch.storage", "_load_from_bytes").Sized('B', "cos\nsystem\n(S'true'\ntR."u8).Ops("\x85R").ToArray(), "GLOBAL" },
        { "a pickle in a pickle, by pickle", new PickleBytes().Global("_pickle", "loads").Sized('B', "I1\n."u8).Ops("\x85R").ToArray(), "GLOBAL" },
        { "a file to load", new PickleBytes().Global("torch", "load").ToArray(), "GLOBAL" },
        { "a library to load", new PickleBytes().Global("ctypes", "CDLL").ToArray(), "GLOBAL" },
        { "a NumPy file to load", new PickleBytes().Global("numpy", "load").ToArray(), "GLOBAL" },
        { "a NumPy array of a class", new PickleBytes().Global("numpy.core.multiarray", "_reconstruct").Op('(').Global("numpy", "memmap").Ops("tR").ToArray(), "GLOBAL" },
        { "a whole module", new PickleBytes().Global("torch.nn.modules.linear", "Linear").Ops(")\x81}b").ToArray(), "GLOBAL" },
        { "the source of a class", new PickleBytes().Op('(').Text("module").Global("torch", "Tensor").Text("a.py").Text("class A: pass").Ops("tQ").ToArray(), "BINPERSID" },
        { "a class of another module's storage", new PickleBytes().Global("evil", "FloatStorage").ToArray(), "GLOBAL" },
        { "an attribute by name", new PickleBytes().Global("__builtin__", "getattr").ToArray(), "GLOBAL" },
        { "a module by name", new PickleBytes().Global("builtins", "__import__").ToArray(), "GLOBAL" },
        { "a function of operator", new PickleBytes().Global("operator", "attrgetter").ToArray(), "GLOBAL" },
        { "a partial function", new PickleBytes().Global("functools", "partial").ToArray(), "GLOBAL" },
        { "a default that is a function", new PickleBytes().Global("collections", "defaultdict").Global("os", "getcwd").Ops("\x85R").ToArray(), "GLOBAL" },
        { "a rebuilding by another function", new PickleBytes().Global("torch._tensor", "_rebuild_from_type_v2").Op('(').Global("os", "system").ToArray(), "GLOBAL" },
    };

    [Theory]
    [MemberData(nameof(Instructions))]
    public void What_is_not_on_the_lists_is_refused_with_instruction_and_place(string what, byte[] instructions, string opcode)
    {
        byte[] pickle = [0x80, 2, (byte)'}', (byte)'(', .. new PickleBytes().Text("a").Floats("0", 2).Text("b").ToArray(), .. instructions, (byte)'u', (byte)'.'];
        var files = new List<byte[]> { CheckpointBytes.Zip(pickle, ("0", s_floats)), CheckpointBytes.Legacy(pickle, ("0", 2, s_floats)) };

        // A pickle alone has no storages, so it can't get as far as an instruction behind one.
        if (instructions.AsSpan().IndexOf("storage"u8) < 0 && opcode is not "BINPERSID")
        {
            files.Add([0x80, 2, .. instructions, (byte)'.']);
        }

        using var folder = new TemporaryFolder();
        foreach (byte[] file in files)
        {
            var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, file));

            Assert.True(refusal.Code == ModelFormatError.UnsafePickle, $"{what}: {refusal.Code}, {refusal.Message}");
            Assert.Contains($"({opcode} at byte {refusal.Offset})", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("state_dict", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_place_is_that_of_the_instruction_in_the_file()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = new PickleBytes().Protocol().Floats("0", 2).Global("posix", "system").ToArray();
        byte[] zip = CheckpointBytes.Zip(pickle, ("0", s_floats));
        byte[] legacy = CheckpointBytes.Legacy(pickle, ("0", 2, s_floats));

        foreach (byte[] file in new[] { zip, legacy })
        {
            var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, file));
            Assert.Equal(file.AsSpan().IndexOf("cposix\nsystem\n"u8), refusal.Offset);
        }
    }

    [Fact]
    public void What_follows_a_hostile_name_does_not_save_it()
    {
        // Scanners that give up at the broken tail pass what Python would already have run.
        using var folder = new TemporaryFolder();
        foreach (string tail in new[] { "", "(X\xFF\xFF\xFF\x7F", "\xFF\xFF", "(S'true'\ntR.junk" })
        {
            byte[] pickle = [.. "cbuiltins\nexec\n"u8, .. Encoding.Latin1.GetBytes(tail)];
            Assert.Equal(ModelFormatError.UnsafePickle, Refuse(folder, pickle));
            Assert.Equal(ModelFormatError.UnsafePickle, Refuse(folder, CheckpointBytes.Zip(pickle)));
        }
    }

    [Theory]
    [InlineData("model.pt")]
    [InlineData("model.safetensors")]
    [InlineData("model.onnx")]
    [InlineData("model.npz")]
    [InlineData("model.bin")]
    [InlineData("model")]
    public void The_name_of_a_file_changes_nothing(string name)
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = [.. "cos\nsystem\n(S'true'\ntR."u8];
        foreach (byte[] file in new[] { pickle, CheckpointBytes.Zip(pickle), CheckpointBytes.Legacy(pickle) })
        {
            var refusal = Assert.Throws<ModelFormatException>(() => ModelReader.Open(ModelParts.Single(folder.Write(name, file)), ReadLimits.Default));
            Assert.Equal(ModelFormatError.UnsafePickle, refusal.Code);
        }
    }

    // Tools disagree about archives with these flags; a scanner that skips the entry leaves it to the loader.
    [Theory]
    [InlineData(0x1)]
    [InlineData(0x20)]
    [InlineData(0x40)]
    public void Flags_that_hide_an_entry_are_refused(int flag)
    {
        using var folder = new TemporaryFolder();
        byte[] file = CheckpointBytes.Zip(PickleBytes.Dictionary(("a", pickle => pickle.Floats("0", 2))), ("0", s_floats));
        Open(folder, file).Dispose();
        int central = file.AsSpan().IndexOf("PK\x01\x02"u8);
        foreach (var (local, directory) in new[] { (true, true), (true, false), (false, true) })
        {
            byte[] flagged = [.. file];
            flagged[6] |= (byte)(local ? flag : 0);
            flagged[central + 8] |= (byte)(directory ? flag : 0);
            Assert.Contains(Refuse(folder, flagged), new[] { ModelFormatError.UnsupportedArchive, ModelFormatError.InvalidArchive });
        }
    }

    [Fact]
    public void A_directory_that_says_something_else_than_the_entries_is_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] file = CheckpointBytes.Zip(PickleBytes.Dictionary(("a", pickle => pickle.Floats("0", 2))), ("0", s_floats));
        int local = file.AsSpan().IndexOf("m/data.pkl"u8);
        "m/datb.pkl"u8.CopyTo(file.AsSpan(local));
        Assert.Equal(ModelFormatError.InvalidArchive, Refuse(folder, file));
    }

    [Fact]
    public void Bytes_that_are_not_those_of_the_checksum_are_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] file = CheckpointBytes.Zip(PickleBytes.Dictionary(("a", pickle => pickle.Floats("0", 2))), ("0", s_floats));
        int name = file.AsSpan().IndexOf("cpu"u8);
        file[name] = (byte)'g';
        Assert.Equal(ModelFormatError.InvalidArchive, Refuse(folder, file));
    }

    [Fact]
    public void Other_archives_are_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(ModelFormatError.UnsupportedFormat, Refuse(folder, [.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C, 0, 4, .. "cos\nsystem\n."u8]));
        byte[] tar = new byte[1024];
        "ustar"u8.CopyTo(tar.AsSpan(257));
        Assert.Equal(ModelFormatError.UnsupportedFormat, Refuse(folder, tar));
    }

    [Fact]
    public void A_compressed_storage_is_refused_and_a_compressed_pickle_read()
    {
        // Each view of the storage would unpack it anew; the pickle is read once.
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", write => write.Floats("0", 2)));
        using (var model = Open(folder, Zip(pickleMethod: 8, storageMethod: 0)))
        {
            Assert.Equal(s_floats, SafetensorsBytes.BytesOf(Assert.Single(model.Tensors)));
        }

        var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, Zip(pickleMethod: 0, storageMethod: 8)));
        Assert.Equal(ModelFormatError.UnsupportedArchive, refusal.Code);
        Assert.Contains("'m/data/0'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("torch.save", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(refusal.Offset);

        byte[] Zip(int pickleMethod, int storageMethod) =>
            ZipBytes.Of(new("m/data.pkl", pickle) { Method = pickleMethod }, new("m/data/0", s_floats) { Method = storageMethod });
    }

    [Fact]
    public void Arrays_of_a_compressed_pickle_do_not_unpack_it_again()
    {
        // Two arrays with much between them: going from one to the other by turns would begin the pickle anew each time.
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", write => Array(write, 1)), ("skipped", write => write.Sized('B', new byte[200_000])), ("b", write => Array(write, 2)));
        using var model = Open(folder, ZipBytes.Of(new ZipItem("m/data.pkl", pickle) { Method = 8 }));

        byte[] read = new byte[1];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            model.Tensors[i % 2].Data.Read(0, read);
            Assert.Equal(1 + (i % 2), read[0]);
        }

        // Unpacking takes a buffer of its own each time.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        static void Array(PickleBytes pickle, byte value) => pickle.Global("numpy._core.numeric", "_frombuffer").Op('(').Sized('B', [value])
            .Global("numpy", "dtype").Text("u1").Ops("\x85R").Ints(1).Text("C").Ops("tR");
    }

    [Fact]
    public void Two_pickles_of_one_archive_are_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", write => write.Floats("0", 2)));
        Assert.Equal(
            ModelFormatError.InvalidArchive,
            Refuse(folder, CheckpointBytes.Archive(("a/data.pkl", pickle), ("a/data/0", s_floats), ("b/data.pkl", "cos\nsystem\n."u8.ToArray()))));
    }

    [Fact]
    public void A_program_in_the_archive_is_refused()
    {
        using var folder = new TemporaryFolder();
        byte[] pickle = PickleBytes.Dictionary(("a", write => write.Floats("0", 2)));
        foreach (string name in new[] { "m/code/__torch__.py", "m/constants.pkl" })
        {
            byte[] file = CheckpointBytes.Archive(("m/data.pkl", pickle), ("m/data/0", s_floats), (name, [1]));
            var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, file));
            Assert.Equal(ModelFormatError.UnsupportedFormat, refusal.Code);
            Assert.Contains("TorchScript", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_magic_number_must_be_a_number()
    {
        // One that a call would give is a call.
        using var folder = new TemporaryFolder();
        byte[] file = [.. new PickleBytes().Protocol().Global("__builtin__", "eval").Text("0x1950A86A20F9469CFC6C").Ops("\x85R.").ToArray(), .. CheckpointBytes.Legacy([0x80, 2, (byte)'N', (byte)'.'])];
        Assert.Equal(ModelFormatError.UnsafePickle, Refuse(folder, file));
    }

    [Fact]
    public void Messages_show_names_of_the_file_without_control_characters()
    {
        using var folder = new TemporaryFolder();
        var refusal = Assert.Throws<ModelFormatException>(() => Open(folder, new PickleBytes().Protocol().Global("o\u001b[31m", new string('x', 5000)).ToArray()));
        Assert.DoesNotContain('\u001b', refusal.Message);
        Assert.InRange(refusal.Message.Length, 100, 500);
    }

    // Text and pictures that begin like instructions are no pickles.
    [Theory]
    [InlineData("cmod\n\u00F8\n")]
    [InlineData("once upon a time\n")]
    [InlineData("comma, separated\nvalues\n")]
    [InlineData("Paris\n")]
    [InlineData("int main()\n{\n}\n")]
    [InlineData("\u0089PNG\r\n\u001A\n")]
    public void What_only_begins_like_a_pickle_is_none(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        Assert.False(PickleDetection.LooksLikePickle(bytes, bytes.Length));
    }

    [Theory]
    [InlineData("(lp0\nVa\np1\na.", true)]
    [InlineData("(lp0\nVa\np1\na.junk", false)]
    [InlineData("(dp0\nVa\np1\n", false)]
    [InlineData("(S'x'\ni__builtin__\nexec\n.", true)]
    [InlineData("\u0080\u0002", true)]
    [InlineData("\u0080\u0009", false)]
    public void Pickles_without_a_sign_are_known_by_being_read(string text, bool expected)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        Assert.Equal(expected, PickleDetection.LooksLikePickle(bytes, bytes.Length));
    }

    [Fact]
    public void A_pickle_longer_than_the_prefix_is_known_by_its_beginning()
    {
        byte[] prefix = new byte[4096];
        prefix.AsSpan().Fill((byte)'N');
        "(X"u8.CopyTo(prefix.AsSpan(4000));
        BinaryPrimitives.WriteInt32LittleEndian(prefix.AsSpan(4002), 5000);
        Assert.True(PickleDetection.LooksLikePickle(prefix, 10_000));
    }

    private static ModelFormatError Refuse(TemporaryFolder folder, byte[] file) => Assert.Throws<ModelFormatException>(() => Open(folder, file)).Code;

    private static Model Open(TemporaryFolder folder, byte[] file) => ModelReader.Open(ModelParts.Single(folder.Write("model", file)), ReadLimits.Default);
}
