using System.Runtime.CompilerServices;

// The compiler sees these members as public (build/PublicMLCore.targets); this line is what lets the running program use them.
[assembly: IgnoresAccessChecksTo("Microsoft.ML.Core")]
