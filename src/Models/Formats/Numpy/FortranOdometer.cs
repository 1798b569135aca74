namespace Condense.Models.Formats.Numpy;

/// <summary>The row-major places of an array's elements, one after another in Fortran order.</summary>
internal sealed class FortranOdometer
{
    private readonly long[] _dimensions;
    private readonly int[] _strides;
    private readonly long[] _index;
    private int _place;

    /// <summary>Begins at the first element.</summary>
    /// <param name="dimensions">The dimensions, each ≥ 1, at most 2³¹−1 elements together.</param>
    public FortranOdometer(long[] dimensions)
    {
        _dimensions = dimensions;
        _strides = new int[dimensions.Length];
        _index = new long[dimensions.Length];
        int stride = 1;
        for (int axis = dimensions.Length - 1; axis >= 0; axis--)
        {
            _strides[axis] = stride;
            stride *= (int)dimensions[axis];
        }
    }

    /// <summary>The places of the next elements.</summary>
    /// <param name="places">Filled whole.</param>
    public void Next(Span<int> places)
    {
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = _place;
            for (int axis = 0; axis < _index.Length; axis++)
            {
                _place += _strides[axis];
                if (++_index[axis] < _dimensions[axis])
                {
                    break;
                }

                _index[axis] = 0;
                _place -= _strides[axis] * (int)_dimensions[axis];
            }
        }
    }
}
