# bash completion for smtpwhy

_smtpwhy_list() {
    # Completes the last item of a comma-separated list.
    local current=$1 words=$2 before=
    if [[ $current == *,* ]]; then
        before=${current%,*},
        current=${current##*,}
    fi
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$current")
}

_smtpwhy() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=
    ((COMP_CWORD > 0)) && previous=${COMP_WORDS[COMP_CWORD - 1]}
    local options="--output --read --filter --count --no-names --ports --only --cause --client --server --since
        --until --verbose --flow --keep-keys --keep-credentials --quiet --jobs --anonymize --fail-on --color --progress --keylog --rsa-key
        --ca-file --ca-path --server-name --limits --policy --db --retain --diff
        --store --cluster --sensor --spool --spool-size --store-wait
        --interface --list-interfaces --snaplen --buffer-size --no-sandbox
        --write --record --rotate-size --rotate-seconds --rotate-count --ring --http --tui
        --help --version"
    local subcommands="analyse live tui audit explain causes findings"
    COMPREPLY=()
    case $previous in
        -o | --output)
            local formats="text json html csv zeek eve ecs ocsf tlsrpt pcapng"
            case ${COMP_WORDS[1]} in
                audit) formats="text json html junit" ;;
                explain | causes | findings) formats="text json" ;;
                live) formats=${formats/ pcapng/} ;;
            esac
            mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$current")
            return
            ;;
        -i | --interface) _smtpwhy_list "$current" "$(smtpwhy live -D 2> /dev/null | cut -f 1)"; return ;;
        --record) mapfile -t COMPREPLY < <(compgen -W "mail all" -- "$current"); return ;;
        --color | --progress) mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current"); return ;;
        --only) _smtpwhy_list "$current" "delivered partial stuck no-mail unknown"; return ;;
        --cause) _smtpwhy_list "$current" "$(smtpwhy causes 2> /dev/null | awk '/^[a-z]/ { print $1 }')"; return ;;
        --fail-on)
            _smtpwhy_list "$current" "stuck finding finding:info finding:low finding:medium finding:high finding:critical"
            return ;;
        -h | --help) mapfile -t COMPREPLY < <(compgen -W "limits formats fields policy" -- "$current"); return ;;
        -f | --filter | -c | --count | -p | --ports | --client | --server | --since | --until | -j | --jobs | --limits | --server-name | -s | --snaplen | -B | --buffer-size)
            return ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
        return
    fi
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$subcommands" -- "$current")
    fi
    case ${COMP_WORDS[1]} in
        explain) mapfile -t COMPREPLY < <(compgen -W "$(smtpwhy causes 2> /dev/null | awk '/^[a-z]/ { print $1 }')" -- "$current") ;;
        causes | findings | live) ;;
        *)
            local file
            while IFS= read -r file; do
                COMPREPLY+=("$file")
            done < <(compgen -f -- "$current")
            ;;
    esac
}

complete -o filenames -F _smtpwhy smtpwhy
