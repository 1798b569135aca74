namespace Condense.Engine.Kernels;

/// <summary>Work that is independent from row to row, shared out in blocks whose borders do not depend on the threads.</summary>
internal static class RowBlocks
{
    /// <summary>Rows that a streaming pass decodes or copies at a time.</summary>
    public const int Streaming = 256;

    /// <summary>Calls <paramref name="body"/> with (block, first row, rows) for every block.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="blockRows">Rows of a block; the last may be shorter.</param>
    /// <param name="threads">Degree of parallelism, ≥ 1.</param>
    /// <param name="body">Must write only what belongs to its rows.</param>
    public static void ForEach(int rows, int blockRows, int threads, Action<int, int, int> body)
    {
        int blocks = Count(rows, blockRows);
        void Run(int block) => body(block, block * blockRows, Math.Min(blockRows, rows - (block * blockRows)));
        if (threads == 1 || blocks == 1)
        {
            for (int block = 0; block < blocks; block++)
            {
                Run(block);
            }

            return;
        }

        Parallel.For(0, blocks, new ParallelOptions { MaxDegreeOfParallelism = threads }, Run);
    }

    /// <summary>Blocks in so many rows.</summary>
    public static int Count(int rows, int blockRows) => (int)(((long)rows + blockRows - 1) / blockRows);
}
