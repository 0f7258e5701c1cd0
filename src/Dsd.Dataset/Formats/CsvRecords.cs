namespace Dsd.Dataset.Formats;

/// <summary>
/// The records of a CSV file: commas between cells, quotation marks around those that hold commas, line ends or quotation marks, empty
/// lines passed over. The rules are those of pandas' <c>read_csv</c> as <c>datasets</c> calls it.
/// </summary>
internal static class CsvRecords
{
    private const int MostCells = 1000;

    /// <summary>Each record's cells, with the number of the line on which it begins, from 1.</summary>
    /// <exception cref="DatasetException">A record is too long, ends within quotation marks, or is not UTF-8; the message names file and line.</exception>
    public static IEnumerable<(long Line, string[] Cells)> Read(Stream stream, int mostBytes, string file)
    {
        Cells cells = new(file, mostBytes);
        byte[] mark = new byte[StrictText.MostMark];
        int read = stream.ReadAtLeast(mark, mark.Length, throwOnEndOfStream: false);
        stream.Seek(StrictText.Mark(mark.AsSpan(0, read), $"'{file}'"), SeekOrigin.Begin);
        (long line, bool quoted, bool wasQuote, bool wasReturn) = (1, false, false, false);
        for (int next = stream.ReadByte(); next >= 0; next = stream.ReadByte())
        {
            byte value = (byte)next;
            bool afterReturn = wasReturn;
            wasReturn = value == '\r';
            line += value == '\r' || (value == '\n' && !afterReturn) ? 1 : 0;
            if (quoted && !wasQuote)
            {
                if (value == '"')
                {
                    wasQuote = true;
                }
                else
                {
                    cells.Add(value);
                }
                continue;
            }
            if (wasQuote)
            {
                wasQuote = false;
                // Two of them stand for one; anything else ends what they enclose.
                if (value == '"')
                {
                    cells.Add(value);
                    continue;
                }
                quoted = false;
            }
            switch (value)
            {
                case (byte)',':
                    cells.End();
                    break;
                case (byte)'\n' when afterReturn:
                    cells.Line = line;
                    break;
                case (byte)'\n' or (byte)'\r':
                    if (cells.Record() is { } record)
                    {
                        yield return record;
                    }
                    cells.Line = line;
                    break;
                case (byte)'"' when cells.AtBegin:
                    quoted = true;
                    cells.Enclosed();
                    break;
                default:
                    cells.Add(value);
                    break;
            }
        }
        if (quoted && !wasQuote)
        {
            throw new DatasetException($"'{file}', line {cells.Line}", "a closing quotation mark", "the end of the file");
        }
        if (cells.Record() is { } last)
        {
            yield return last;
        }
    }

    /// <summary>A record that is being read.</summary>
    private sealed class Cells(string file, int mostBytes)
    {
        private readonly List<string> _done = [];
        private readonly List<byte> _bytes = [];
        private int _total;
        private bool _enclosed;

        public long Line { get; set; } = 1;

        public bool AtBegin => _bytes.Count == 0 && !_enclosed;

        private string Place => $"'{file}', line {Line}";

        public void Enclosed() => _enclosed = true;

        public void Add(byte value)
        {
            _bytes.Add(value);
            if (++_total > mostBytes)
            {
                throw new DatasetException(Place, $"at most {mostBytes} bytes", "more");
            }
        }

        public void End()
        {
            _done.Add(StrictText.Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes), Place));
            _bytes.Clear();
            _enclosed = false;
            if (_done.Count > MostCells)
            {
                throw new DatasetException(Place, $"at most {MostCells} columns", "more");
            }
        }

        /// <summary>Ends the record; null where its line was empty.</summary>
        public (long Line, string[] Cells)? Record()
        {
            if (AtBegin && _done.Count == 0)
            {
                return null;
            }
            End();
            string[] cells = [.. _done];
            _done.Clear();
            _total = 0;
            return (Line, cells);
        }
    }
}
