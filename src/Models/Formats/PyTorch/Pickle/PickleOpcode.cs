namespace Condense.Models.Formats.PyTorch.Pickle;

/// <summary>The instructions of pickles, protocols 0 to 5, under the names that Python's <c>pickletools</c> gives them.</summary>
internal enum PickleOpcode : byte
{
    /// <summary>Puts a mark on the stack.</summary>
    Mark = (byte)'(',

    /// <summary>Ends the pickle; the top of the stack is its value.</summary>
    Stop = (byte)'.',

    /// <summary>Drops the top of the stack.</summary>
    Pop = (byte)'0',

    /// <summary>Drops everything down to the mark.</summary>
    PopMark = (byte)'1',

    /// <summary>Repeats the top of the stack.</summary>
    Dup = (byte)'2',

    /// <summary>A number, as text.</summary>
    Float = (byte)'F',

    /// <summary>An integer or a truth value, as text.</summary>
    Int = (byte)'I',

    /// <summary>A signed integer of 4 bytes.</summary>
    BinInt = (byte)'J',

    /// <summary>An unsigned integer of 1 byte.</summary>
    BinInt1 = (byte)'K',

    /// <summary>An integer of any length, as text.</summary>
    Long = (byte)'L',

    /// <summary>An unsigned integer of 2 bytes.</summary>
    BinInt2 = (byte)'M',

    /// <summary>None.</summary>
    None = (byte)'N',

    /// <summary>An object kept outside, named by text.</summary>
    PersId = (byte)'P',

    /// <summary>An object kept outside, named by the top of the stack.</summary>
    BinPersId = (byte)'Q',

    /// <summary>Calls.</summary>
    Reduce = (byte)'R',

    /// <summary>A quoted string of bytes.</summary>
    String = (byte)'S',

    /// <summary>A string of bytes, its length in 4 bytes.</summary>
    BinString = (byte)'T',

    /// <summary>A string of bytes, its length in 1 byte.</summary>
    ShortBinString = (byte)'U',

    /// <summary>Text up to the end of the line.</summary>
    Unicode = (byte)'V',

    /// <summary>Text, its length in 4 bytes.</summary>
    BinUnicode = (byte)'X',

    /// <summary>Appends to a list.</summary>
    Append = (byte)'a',

    /// <summary>Gives an object its state.</summary>
    Build = (byte)'b',

    /// <summary>A function or class by name.</summary>
    Global = (byte)'c',

    /// <summary>A dictionary of everything down to the mark.</summary>
    Dict = (byte)'d',

    /// <summary>An empty dictionary.</summary>
    EmptyDict = (byte)'}',

    /// <summary>Appends everything down to the mark.</summary>
    Appends = (byte)'e',

    /// <summary>What the memo keeps under a number, as text.</summary>
    Get = (byte)'g',

    /// <summary>What the memo keeps under a number of 1 byte.</summary>
    BinGet = (byte)'h',

    /// <summary>Makes an object of a class by name.</summary>
    Inst = (byte)'i',

    /// <summary>What the memo keeps under a number of 4 bytes.</summary>
    LongBinGet = (byte)'j',

    /// <summary>A list of everything down to the mark.</summary>
    List = (byte)'l',

    /// <summary>An empty list.</summary>
    EmptyList = (byte)']',

    /// <summary>Makes an object of a class from the stack.</summary>
    Obj = (byte)'o',

    /// <summary>Keeps the top of the stack under a number, as text.</summary>
    Put = (byte)'p',

    /// <summary>Keeps the top of the stack under a number of 1 byte.</summary>
    BinPut = (byte)'q',

    /// <summary>Keeps the top of the stack under a number of 4 bytes.</summary>
    LongBinPut = (byte)'r',

    /// <summary>Sets an entry of a dictionary.</summary>
    SetItem = (byte)'s',

    /// <summary>A tuple of everything down to the mark.</summary>
    Tuple = (byte)'t',

    /// <summary>An empty tuple.</summary>
    EmptyTuple = (byte)')',

    /// <summary>Sets entries of a dictionary, down to the mark.</summary>
    SetItems = (byte)'u',

    /// <summary>A float of 8 bytes.</summary>
    BinFloat = (byte)'G',

    /// <summary>Names the protocol.</summary>
    Proto = 0x80,

    /// <summary>Makes an object of a class with arguments.</summary>
    NewObj = 0x81,

    /// <summary>A registered extension, its number in 1 byte.</summary>
    Ext1 = 0x82,

    /// <summary>A registered extension, its number in 2 bytes.</summary>
    Ext2 = 0x83,

    /// <summary>A registered extension, its number in 4 bytes.</summary>
    Ext4 = 0x84,

    /// <summary>A tuple of one.</summary>
    Tuple1 = 0x85,

    /// <summary>A tuple of two.</summary>
    Tuple2 = 0x86,

    /// <summary>A tuple of three.</summary>
    Tuple3 = 0x87,

    /// <summary>True.</summary>
    NewTrue = 0x88,

    /// <summary>False.</summary>
    NewFalse = 0x89,

    /// <summary>An integer, its length in 1 byte.</summary>
    Long1 = 0x8A,

    /// <summary>An integer, its length in 4 bytes.</summary>
    Long4 = 0x8B,

    /// <summary>Bytes, their length in 4 bytes.</summary>
    BinBytes = (byte)'B',

    /// <summary>Bytes, their length in 1 byte.</summary>
    ShortBinBytes = (byte)'C',

    /// <summary>Text, its length in 1 byte.</summary>
    ShortBinUnicode = 0x8C,

    /// <summary>Text, its length in 8 bytes.</summary>
    BinUnicode8 = 0x8D,

    /// <summary>Bytes, their length in 8 bytes.</summary>
    BinBytes8 = 0x8E,

    /// <summary>An empty set.</summary>
    EmptySet = 0x8F,

    /// <summary>Adds everything down to the mark to a set.</summary>
    AddItems = 0x90,

    /// <summary>A frozen set of everything down to the mark.</summary>
    FrozenSet = 0x91,

    /// <summary>Makes an object of a class with arguments and keywords.</summary>
    NewObjEx = 0x92,

    /// <summary>A function or class whose names are on the stack.</summary>
    StackGlobal = 0x93,

    /// <summary>Keeps the top of the stack under the next number.</summary>
    Memoize = 0x94,

    /// <summary>Announces how many bytes belong together.</summary>
    Frame = 0x95,

    /// <summary>Bytes that can be changed, their length in 8 bytes.</summary>
    ByteArray8 = 0x96,

    /// <summary>A buffer kept outside.</summary>
    NextBuffer = 0x97,

    /// <summary>Makes a buffer read-only.</summary>
    ReadOnlyBuffer = 0x98,
}
