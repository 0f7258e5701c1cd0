using Microsoft.ML.Data;

namespace Dsd.MLNet.Stages.Rows;

/// <summary>The ids of rows where one gives several.</summary>
internal static class RowIds
{
    /// <summary>The id of the nth row that a row gives: spread over its own by an odd constant, so that those of different rows do not meet.</summary>
    public static DataViewRowId Of(DataViewRowId own, int number) => new(own.Low + (ulong)number * 0x9E3779B97F4A7C15, own.High);
}
