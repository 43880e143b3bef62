# fish completion for smtpwhy

function __smtpwhy_causes
    smtpwhy causes 2>/dev/null | awk '/^[a-z]/ { print $1 }'
end

set -l later '__fish_seen_subcommand_from explain causes findings'

complete -c smtpwhy -n __fish_use_subcommand -a analyse -d 'analyse saved captures'
complete -c smtpwhy -n __fish_use_subcommand -a explain -d 'what a code or a reply means'
complete -c smtpwhy -n __fish_use_subcommand -a causes -d 'list all causes'
complete -c smtpwhy -n __fish_use_subcommand -a findings -d 'list all findings'
complete -c smtpwhy -n '__fish_seen_subcommand_from explain' -f -a '(__smtpwhy_causes)'

complete -c smtpwhy -s o -l output -x -a 'text json' -d 'write this format'
complete -c smtpwhy -s h -l help -d 'help'
complete -c smtpwhy -s V -l version -d 'the version'
complete -c smtpwhy -l color -x -a 'auto always never' -d 'colours'
complete -c smtpwhy -n "not $later" -s r -l read -r -d 'read this capture'
complete -c smtpwhy -n "not $later" -s f -l filter -x -d 'only frames that match'
complete -c smtpwhy -n "not $later" -s c -l count -x -d 'stop after N frames'
complete -c smtpwhy -n "not $later" -s n -l no-names -d 'show addresses, never names'
complete -c smtpwhy -n "not $later" -s p -l ports -x -d 'mail ports'
complete -c smtpwhy -n "not $later" -l only -x -a 'delivered partial stuck no-mail unknown' -d 'show these outcomes only'
complete -c smtpwhy -n "not $later" -l cause -x -a '(__smtpwhy_causes)' -d 'show these causes only'
complete -c smtpwhy -n "not $later" -l client -x -d 'show these clients only'
complete -c smtpwhy -n "not $later" -l server -x -d 'show these servers only'
complete -c smtpwhy -n "not $later" -l since -x -d 'show sessions from this time on'
complete -c smtpwhy -n "not $later" -l until -x -d 'show sessions before this time'
complete -c smtpwhy -n "not $later" -s v -l verbose -d 'tell every session in full'
complete -c smtpwhy -n "not $later" -s q -l quiet -d 'the summary only'
complete -c smtpwhy -n "not $later" -s j -l jobs -x -d 'read N files at a time'
complete -c smtpwhy -n "not $later" -l anonymize -d 'pseudonyms in place of addresses and names'
complete -c smtpwhy -n "not $later" -l fail-on -x -a 'stuck finding finding:medium finding:high finding:critical' -d 'exit with 1 when a session matches'
complete -c smtpwhy -n "not $later" -l progress -x -a 'auto always never' -d 'a progress bar'
complete -c smtpwhy -n "not $later" -l ca-file -r -d 'certificates to trust'
complete -c smtpwhy -n "not $later" -l ca-path -r -d 'a directory of certificates to trust'
complete -c smtpwhy -n "not $later" -l server-name -x -d 'name that the certificate must bear'
complete -c smtpwhy -n "not $later" -l limits -x -d 'caps on memory and size'
