using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Dsd.Tools.Train;

/// <summary>
/// YAML as JSON, for a reader that has its rules for JSON: each value stands in the same line as before, so that messages name the right one.
/// </summary>
/// <remarks>
/// Plain words are what JSON knows, and texts otherwise: <c>true</c>, <c>false</c>, <c>null</c>, <c>~</c>, nothing at all, and numbers in decimal digits.
/// <c>yes</c>, <c>0x10</c> and <c>010</c>, which programs read differently, are texts. Anchors, aliases and tags are refused: options need none.
/// </remarks>
internal static partial class YamlText
{
    // Deeper than any options, and far from what a reader can take.
    private const int MostDepth = 32;

    /// <summary>Converts a text.</summary>
    /// <exception cref="JsonException">It is no YAML, or has what is not read here; the message names the line.</exception>
    public static string ToJson(string yaml)
    {
        Writer json = new();
        Parser parser = new(new StringReader(yaml));
        try
        {
            while (parser.MoveNext())
            {
                json.Add(parser.Current!);
            }
        }
        catch (YamlException e)
        {
            throw new JsonException($"no YAML ({e.Message.TrimEnd('.')})", null, e.Start.Line - 1, null, e);
        }
        catch (InvalidOperationException e)
        {
            // What the parser throws for a list or mapping that is not closed.
            throw new JsonException("no YAML: a list or mapping is not closed", null, parser.Current?.End.Line - 1, null, e);
        }
        return json.ToString();
    }

    private static JsonException Fault(ParsingEvent at, string found) => new(found, null, at.Start.Line - 1, null);

    [GeneratedRegex(@"\A([-+]?)(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    private sealed class Writer
    {
        private readonly StringBuilder _json = new();
        private readonly Stack<(bool IsMapping, int Count)> _open = [];
        private long _line = 1;
        private int _documents;

        public void Add(ParsingEvent part)
        {
            switch (part)
            {
                case DocumentStart when ++_documents > 1:
                    throw Fault(part, "a second document");
                case AnchorAlias alias:
                    throw Fault(part, $"the alias '*{alias.Value}': aliases are not read, write the value itself");
                case MappingStart or SequenceStart:
                    Begin((NodeEvent)part, isKeyAllowed: false);
                    if (_open.Count == MostDepth)
                    {
                        throw Fault(part, $"more than {MostDepth} levels");
                    }
                    _open.Push((part is MappingStart, 0));
                    _json.Append(part is MappingStart ? '{' : '[');
                    break;
                case MappingEnd or SequenceEnd:
                    _open.Pop();
                    _json.Append(part is MappingEnd ? '}' : ']');
                    break;
                case Scalar scalar:
                    bool isKey = Begin(scalar, isKeyAllowed: true);
                    _json.Append(isKey || scalar.Style != ScalarStyle.Plain ? JsonSerializer.Serialize(scalar.Value) : Plain(scalar.Value));
                    break;
            }
        }

        public override string ToString() => _json.Length > 0 ? _json.ToString() : "null";

        /// <summary>Writes what stands before a value, and says whether it is a key.</summary>
        private bool Begin(NodeEvent node, bool isKeyAllowed)
        {
            if (!node.Anchor.IsEmpty)
            {
                throw Fault(node, $"the anchor '&{node.Anchor.Value}': anchors are not read");
            }
            if (!node.Tag.IsEmpty)
            {
                throw Fault(node, $"the tag '{node.Tag.Value}': tags are not read");
            }
            bool isKey = false;
            if (_open.TryPop(out (bool IsMapping, int Count) inside))
            {
                isKey = inside.IsMapping && inside.Count % 2 == 0;
                if (isKey && !isKeyAllowed)
                {
                    throw Fault(node, "a list or mapping as a name");
                }
                _json.Append(inside.IsMapping && !isKey ? ":" : inside.Count > 0 ? "," : "");
                _open.Push((inside.IsMapping, inside.Count + 1));
            }
            for (; _line < node.Start.Line; _line++)
            {
                _json.Append('\n');
            }
            return isKey;
        }

        private static string Plain(string value)
        {
            if (value is "true" or "false" or "null")
            {
                return value;
            }
            if (value is "" or "~")
            {
                return "null";
            }
            Match number = Number().Match(value);
            (string whole, string part) = (number.Groups[2].Value, number.Groups[3].Value.TrimStart('.'));
            if (!number.Success || (whole.Length == 0 && part.Length == 0))
            {
                return JsonSerializer.Serialize(value);
            }
            string sign = number.Groups[1].Value == "-" ? "-" : "";
            return $"{sign}{(whole.Length > 0 ? whole : "0")}{(part.Length > 0 ? $".{part}" : "")}{number.Groups[4].Value}";
        }
    }
}
